//! The cluster as one of its nodes sees it: `CLUSTER NODES`.

use std::ops::RangeInclusive;

/// A node in the eyes of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: String,
    /// Whose replica it is.
    pub(super) replicates: Option<String>,
    /// Known, linked, and not believed to fail.
    pub(super) well: bool,
    pub(super) slots: Vec<RangeInclusive<u16>>,
}

impl Member {
    fn owns(&self, slot: u16) -> bool {
        self.slots.iter().any(|range| range.contains(&slot))
    }
}

/// What one node sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View(pub(super) Vec<Member>);

impl View {
    pub(super) fn parse(text: &str) -> View {
        View(text.lines().filter_map(member).collect())
    }

    pub(super) fn of(&self, id: &str) -> Option<&Member> {
        self.0.iter().find(|member| member.id == id)
    }

    /// Who has this slot.
    pub(super) fn owner(&self, slot: u16) -> Option<&Member> {
        self.0.iter().find(|member| member.owns(slot))
    }

    /// Whether another sees the same: who has which slots, and who replicates whom.
    pub(super) fn agrees_with(&self, other: &View) -> bool {
        let agreed = |it: &Member| {
            let seen = other.of(&it.id);
            seen.is_some_and(|seen| seen.replicates == it.replicates && seen.slots == it.slots)
        };
        self.0.len() == other.0.len() && self.0.iter().all(agreed)
    }
}

/// Reads `ID ADDRESS FLAGS PRIMARY|- PING PONG EPOCH LINK SLOTS…`; a slot on its way, `[7->-ID]`, is also in the list of who has it.
fn member(line: &str) -> Option<Member> {
    let words: Vec<_> = line.split(' ').collect();
    let [id, _, flags, replicates, _, _, _, link, slots @ ..] = &words[..] else {
        return None;
    };
    let troubled = ["fail", "fail?", "handshake", "noaddr"];
    let troubled = flags.split(',').any(|flag| troubled.contains(&flag));
    Some(Member {
        id: (*id).to_owned(),
        replicates: (*replicates != "-").then(|| (*replicates).to_owned()),
        well: !troubled && *link == "connected",
        slots: slots.iter().filter_map(|slots| range(slots)).collect(),
    })
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::View;

    #[test]
    fn the_words_of_a_node_are_understood() {
        let view = View::parse(
            "aa 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-5460 7000 [93->-bb]\n\
             bb 127.0.0.1:3@4,host master,fail? - 0 0 2 connected 5461-5470\n\
             cc 127.0.0.1:5@6 slave aa 0 0 1 disconnected\n",
        );
        let owner = |slot| view.owner(slot).map(|it| it.id.as_str());
        assert_eq!(owner(93), Some("aa"));
        assert_eq!(owner(7_000), Some("aa"));
        assert_eq!(owner(5_470), Some("bb"));
        assert_eq!(owner(5_471), None);
        let well: Vec<_> = view.0.iter().map(|it| it.well).collect();
        assert_eq!(well, [true, false, false]);
        let replica = view.of("cc").expect("it is there");
        assert_eq!(replica.replicates.as_deref(), Some("aa"));
        assert!(view.agrees_with(&view));
        let later = "aa 127.0.0.1:1@2 master - 0 0 1 connected 0-5461";
        assert!(!View::parse(later).agrees_with(&view));
        assert!(!view.agrees_with(&View::parse(later)));
    }
}
