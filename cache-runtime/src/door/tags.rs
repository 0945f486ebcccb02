//! Tags of a call: rendered for its entry, and where the key does not tell them, for the entry it looks for.

use crate::{
    engine::{Core, Tags},
    key::{KeyBuf, KeySecret, Lines, UNSPECIFIED, Unrenderable, canonical, is_canonical},
    tags::Label,
};

/// The tags that a call's arguments make, rendered before the lookup because the key does not tell them. Only generated code writes into it.
#[derive(Debug)]
pub struct TagBuf {
    limit: usize,
    secret: Option<KeySecret>,
    texts: Lines,
    failure: Option<Unrenderable>,
}

impl TagBuf {
    #[inline]
    pub(super) fn new(core: &Core) -> Self {
        Self {
            limit: core.settings.max_key_bytes,
            secret: core.secret.clone(),
            texts: Lines::new(),
            failure: None,
        }
    }

    /// One tag.
    #[inline]
    pub fn tag(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        if self.failure.is_some() {
            return;
        }
        let mut buffer = KeyBuf::new(self.limit, self.secret.as_ref());
        render(&mut buffer);
        // Nearly every tag is called what was rendered, and is taken from where it stands.
        if let Some((text, _)) = buffer.ready().filter(|(text, _)| is_canonical(text)) {
            return self.texts.push_ascii(text);
        }
        match buffer.finish() {
            Ok(rendered) => self.texts.push(&canonical(rendered.logical())),
            Err(why) => self.failure = Some(why),
        }
    }

    #[inline]
    pub(super) fn texts(&self) -> &Lines {
        &self.texts
    }

    /// Why one of them has no text: it could not be evicted.
    #[inline]
    pub(super) fn failure(&self) -> Option<&Unrenderable> {
        self.failure.as_ref()
    }
}

impl Tags {
    /// Renders a tag as far as the arguments allow.
    pub(super) fn add(
        &mut self,
        core: &Core,
        render: impl FnOnce(&mut KeyBuf<'_>),
    ) -> Result<(), Unrenderable> {
        let mut buffer = KeyBuf::new(core.settings.max_key_bytes, core.secret.as_ref());
        render(&mut buffer);
        let template = buffer.finish_late();
        if template.has_holes() {
            self.templates.push(template);
            return Ok(());
        }
        self.know(Label::tag(&template.render()?.into_key(UNSPECIFIED)));
        Ok(())
    }

    /// One that is rendered.
    pub(super) fn know(&mut self, tag: Label) {
        if !self.known.contains(&tag) {
            self.known.push(tag);
        }
    }
}
