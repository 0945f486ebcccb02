//! The body of a response that went through the cache: whole, or as it comes.

use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

/// The error of a body.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a response that a [`ResponseCache`](super::ResponseCache) hands out: bytes it has, shared with what is stored, or the handler's body as it comes.
///
/// Its errors are those of the handler's body.
pub struct Body(Kind);

enum Kind {
    Whole(Bytes),
    Streaming(Box<Streaming>),
}

/// What was read of a body, and what comes after that.
struct Streaming {
    read: VecDeque<Bytes>,
    next: Option<Result<Frame<Bytes>, BoxError>>,
    rest: Option<UnsyncBoxBody<Bytes, BoxError>>,
}

/// What became of reading a body to its end.
pub(super) enum Read {
    Whole(Bytes),
    /// It goes on as it was, and is not stored; why, in one word.
    Streaming(Body, &'static str),
}

impl Body {
    /// A body that is known.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(bytes))
    }

    /// A body as it comes.
    pub(super) fn streaming<B>(body: B) -> Self
    where
        B: http_body::Body + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Kind::Streaming(Box::new(Streaming {
            read: VecDeque::new(),
            next: None,
            rest: Some(erased(body)),
        })))
    }

    /// Reads a body of at most `most` bytes to its end, for at most `within`. Dropping the future drops the body.
    pub(super) async fn read<B>(body: B, most: usize, within: Duration) -> Read
    where
        B: http_body::Body + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let most_bytes = u64::try_from(most).unwrap_or(u64::MAX);
        if body.size_hint().lower() > most_bytes {
            return Read::Streaming(Self::streaming(body), "too-large");
        }
        let mut streaming = Streaming {
            read: VecDeque::new(),
            next: None,
            rest: Some(erased(body)),
        };
        let why = tokio::time::timeout(within, streaming.fill(most)).await;
        match why {
            Ok(None) => Read::Whole(streaming.joined()),
            Ok(Some(why)) => Read::Streaming(Self(Kind::Streaming(Box::new(streaming))), why),
            Err(_) => Read::Streaming(Self(Kind::Streaming(Box::new(streaming))), "slow"),
        }
    }
}

pin_project_lite::pin_project! {
    /// A body of shared slices with errors of one type; its hints stay what they are.
    struct Alike<B> {
        #[pin]
        body: B,
    }
}

fn erased<B>(body: B) -> UnsyncBoxBody<Bytes, BoxError>
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    Alike { body }.boxed_unsync()
}

impl<B> http_body::Body for Alike<B>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let shared = |mut data: B::Data| data.copy_to_bytes(data.remaining());
        let frame = std::task::ready!(self.project().body.poll_frame(cx));
        let frame = frame.map(|frame| frame.map(|frame| frame.map_data(shared)));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Streaming {
    /// Reads to the end, or until there is a reason not to. What has been read is kept whenever it is dropped.
    async fn fill(&mut self, most: usize) -> Option<&'static str> {
        let mut length = 0_usize;
        while let Some(rest) = &mut self.rest {
            match rest.frame().await {
                None => self.rest = None,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        length = length.saturating_add(data.len());
                        self.read.push_back(data);
                        if length > most {
                            return Some("too-large");
                        }
                    }
                    Err(frame) => {
                        self.next = Some(Ok(frame));
                        return Some("trailers");
                    }
                },
                Some(Err(error)) => {
                    self.next = Some(Err(error));
                    self.rest = None;
                    return Some("broken");
                }
            }
        }
        None
    }

    /// All that was read, in one piece; where it came in one, without a copy.
    fn joined(mut self) -> Bytes {
        if self.read.len() <= 1 {
            return self.read.pop_front().unwrap_or_default();
        }
        let length = self.read.iter().map(Bytes::len).sum();
        let mut joined = BytesMut::with_capacity(length);
        for part in self.read {
            joined.extend_from_slice(&part);
        }
        joined.freeze()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Streaming(streaming) => {
                if let Some(data) = streaming.read.pop_front() {
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                if let Some(next) = streaming.next.take() {
                    return Poll::Ready(Some(next));
                }
                match &mut streaming.rest {
                    Some(rest) => Pin::new(rest).poll_frame(cx),
                    None => Poll::Ready(None),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Streaming(it) => {
                let rest = it.rest.as_ref();
                it.read.is_empty()
                    && it.next.is_none()
                    && rest.is_none_or(|rest| rest.is_end_stream())
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let it = match &self.0 {
            Kind::Whole(bytes) => return SizeHint::with_exact(length(bytes)),
            Kind::Streaming(it) => it,
        };
        let read: u64 = it.read.iter().map(length).sum();
        let rest = match (&it.next, &it.rest) {
            // What breaks off has been longer.
            (Some(Err(_)), _) => SizeHint::default(),
            (_, Some(rest)) => rest.size_hint(),
            (_, None) => SizeHint::with_exact(0),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(read.saturating_add(rest.lower()));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Default for Body {
    fn default() -> Self {
        Self::whole(Bytes::new())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Kind::Streaming(_) => f.write_str("Body(streaming)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };

    use bytes::Bytes;
    use http::HeaderMap;
    use http_body::{Body as _, Frame};
    use http_body_util::{BodyExt, Full};

    use super::{Body, BoxError, Read};

    /// A body of frames; behind the last one it ends, or hangs.
    struct Frames(VecDeque<Result<Frame<Bytes>, &'static str>>, bool);

    impl http_body::Body for Frames {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            match (self.0.pop_front(), self.1) {
                (None, true) => Poll::Pending,
                (frame, _) => Poll::Ready(frame),
            }
        }
    }

    fn frames(parts: &[&'static str], hangs: bool) -> Frames {
        let data = parts
            .iter()
            .map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes()))));
        Frames(data.collect(), hangs)
    }

    async fn read(body: Frames, most: usize) -> Read {
        Body::read(body, most, Duration::from_millis(20)).await
    }

    async fn rest(read: Read) -> (&'static str, Result<Bytes, BoxError>) {
        match read {
            Read::Whole(bytes) => ("", Ok(bytes)),
            Read::Streaming(body, why) => (why, body.collect().await.map(|it| it.to_bytes())),
        }
    }

    #[tokio::test]
    async fn a_short_body_is_read_to_its_end() {
        let Read::Whole(bytes) = read(frames(&["he", "l", "lo"], false), 5).await else {
            panic!("it is not longer than it may be");
        };
        assert_eq!(bytes, "hello");
        let whole = Body::whole(bytes);
        assert_eq!(whole.size_hint().exact(), Some(5));
        assert_eq!(whole.collect().await.unwrap().to_bytes(), "hello");
        assert!(Body::default().is_end_stream());
    }

    #[tokio::test]
    async fn a_long_body_passes_as_it_was() {
        let (why, body) = rest(read(frames(&["he", "l", "lo", "!"], false), 4).await).await;
        assert_eq!((why, body.unwrap()), ("too-large", Bytes::from("hello!")));
        let known: Full<Bytes> = Full::from("hello!");
        let Read::Streaming(body, "too-large") = Body::read(known, 4, Duration::from_secs(1)).await
        else {
            panic!("its length was known");
        };
        assert_eq!(body.size_hint().exact(), Some(6));
    }

    #[tokio::test]
    async fn what_breaks_off_breaks_off_for_the_client() {
        let mut broken = frames(&["he"], false);
        broken.0.push_back(Err("gone"));
        let Read::Streaming(mut body, "broken") = read(broken, 9).await else {
            panic!("it broke off");
        };
        assert_eq!(body.size_hint().upper(), None);
        assert_eq!(
            body.frame().await.unwrap().unwrap().into_data().unwrap(),
            "he"
        );
        assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "gone");
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn trailers_and_delays_reach_the_client() {
        let mut trailing = frames(&["he"], false);
        let trailers = HeaderMap::from_iter([(http::header::ETAG, "\"x\"".parse().unwrap())]);
        trailing.0.push_back(Ok(Frame::trailers(trailers)));
        let Read::Streaming(body, "trailers") = read(trailing, 9).await else {
            panic!("it has trailers");
        };
        let collected = body.collect().await.unwrap();
        assert!(
            collected
                .trailers()
                .is_some_and(|it| it.contains_key("etag"))
        );
        let Read::Streaming(mut body, "slow") = read(frames(&["he"], true), 9).await else {
            panic!("it has no end");
        };
        assert_eq!(
            body.frame().await.unwrap().unwrap().into_data().unwrap(),
            "he"
        );
    }

    #[tokio::test]
    async fn other_buffers_will_do() {
        let full: Full<VecDeque<u8>> = Full::new(VecDeque::from_iter(*b"hello"));
        let body = Body::streaming(full);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
    }
}
