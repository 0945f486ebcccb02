//! The task that writes commands and reads answers.
//!
//! Reading and writing take turns in one task: a server that cannot get rid of its answers takes no commands, so neither may wait for the other.
//!
//! What is there is written at once, unless others wait for their answers and none have just come: then tasks that are ready to run are about to ask as well, and
//! the carrier lets them go first, once. That is a turn of the scheduler and not of a clock. It makes one packet of what would be many, on both sides. Where
//! answers have just come it only looks whether there are more: to give way there too was measured to gain nothing.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::outbox::{Outbox, Untold, given_up};
use super::watcher::{Hands, InHand, Waiting, Watcher};
use crate::tiers::redis::socket::{Stream, Walk};

/// What is read at once, at most; answers share it.
const CHUNK: usize = 64 << 10;
/// Room there is for another read.
const ROOM: usize = 8 << 10;
/// Of a text that was larger the memory is given back.
const KEPT: usize = 256 << 10;

/// Carries commands to the server and answers back, as long as it is polled; ends with the connection.
pub(super) struct Carrier {
    stream: Box<dyn Stream>,
    outbox: Arc<Outbox>,
    walk: Walk,
    /// What was read and belongs to an answer that has not ended.
    input: BytesMut,
    /// So much of it the walk has seen.
    walked: usize,
    /// Whom it has to do with.
    hands: Arc<Hands>,
    watcher: Watcher,
    output: Vec<u8>,
    written: usize,
    /// A stream that encrypts may keep something back.
    unflushed: bool,
    /// Others are let go first; what was taken out is written when it is asked for again.
    gave_way: bool,
}

impl Carrier {
    pub(super) fn new(stream: Box<dyn Stream>, most: u64, outbox: Arc<Outbox>) -> Self {
        Self {
            stream,
            outbox,
            walk: Walk::new(most),
            input: BytesMut::with_capacity(CHUNK),
            walked: 0,
            hands: Arc::default(),
            watcher: Watcher::default(),
            output: Vec::new(),
            written: 0,
            unflushed: false,
            gave_way: false,
        }
    }

    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.input.capacity()
    }

    /// Ends with the reason why there is nothing more to do.
    fn carry(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let read = match self.read(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
            };
            match self.write(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Ready(Ok(())) => {}
                Poll::Pending if read => {}
                Poll::Pending => {
                    if self.gave_way {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.reserve(ROOM);
        let read = pin!(self.stream.read_buf(&mut self.input));
        if ready!(read.poll(cx))? == 0 {
            let text = "the server has closed the connection";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, text)));
        }
        Poll::Ready(self.deliver())
    }

    /// Gives out the answers that are complete.
    fn deliver(&mut self) -> io::Result<()> {
        let invalid = |why| io::Error::new(io::ErrorKind::InvalidData, why);
        let mut largest = 0;
        let mut in_hand = self.hands.lock();
        while let Some(first) = in_hand.waiting.front_mut() {
            let rest = &self.input[self.walked..];
            let Some(more) = self.walk.end(rest).map_err(invalid)? else {
                self.walked = self.input.len();
                break;
            };
            self.walked += more;
            first.answers -= 1;
            if first.answers == 0 {
                let answer = self.input.split_to(self.walked).freeze();
                self.walked = 0;
                largest = largest.max(answer.len());
                if let Some(to) = in_hand.waiting.pop_front().and_then(|first| first.to) {
                    // Who has left needs none.
                    let _ = to.send(Ok(answer));
                }
            }
        }
        if in_hand.waiting.is_empty() && !self.input.is_empty() {
            return Err(unasked(&self.input));
        }
        if largest > KEPT {
            // The buffer would be used again, whole, as soon as nobody has the answer any more.
            let rest = std::mem::take(&mut self.input);
            self.input.reserve(rest.len().max(CHUNK));
            self.input.extend_from_slice(&rest);
        }
        Ok(())
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.written == self.output.len() {
            if self.unflushed {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                self.unflushed = false;
            }
            ready!(self.gather(cx));
        }
        let rest = &self.output[self.written..];
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.written += written;
        self.unflushed = true;
        Poll::Ready(Ok(()))
    }

    /// Makes one text of what waits; pending, if nothing does or others are let go first.
    fn gather(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.output.clear();
        self.output.shrink_to(KEPT);
        self.written = 0;
        // Where all have left the outbox is asked again, or nobody would wake this task.
        while self.output.is_empty() {
            let mut in_hand = self.hands.lock();
            self.outbox.take(&mut in_hand.taken, cx);
            if in_hand.taken.is_empty() {
                return Poll::Pending;
            }
            if !in_hand.waiting.is_empty() && !self.gave_way {
                self.gave_way = true;
                return Poll::Pending;
            }
            self.gave_way = false;
            let InHand { taken, waiting, .. } = &mut *in_hand;
            for request in taken.drain(..) {
                if !request.to.is_closed() {
                    self.output.extend_from_slice(&request.packed);
                    waiting.push_back(Waiting {
                        answers: request.answers,
                        until: request.until,
                        to: Some(request.to),
                    });
                }
            }
        }
        self.watcher.begin(&self.hands, &self.outbox);
        Poll::Ready(())
    }

    /// Tells all who wait, and all who come.
    fn close(&mut self, why: &redis::RedisError) {
        let unsent = self.outbox.close(why.clone());
        let InHand { taken, waiting, .. } = &mut *self.hands.lock();
        let unsent = taken.drain(..).chain(unsent).map(|request| request.to);
        let sent = waiting.drain(..).filter_map(|waiting| waiting.to);
        for to in sent.chain(unsent) {
            let _ = to.send(Err(Untold::Failed(why.clone())));
        }
    }
}

impl Future for Carrier {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let why = ready!(this.carry(cx));
        this.close(&why.into());
        Poll::Ready(())
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.close(&given_up());
    }
}

/// After an answer to nothing, or the beginning of one, every later one would be taken for another's. It may say why the server has nothing to do with us.
fn unasked(answer: &[u8]) -> io::Error {
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or(answer);
    let line = &line[..line.len().min(200)];
    let text = format!("an answer that nobody asked for: {}", line.escape_ascii());
    io::Error::new(io::ErrorKind::ConnectionAborted, text)
}
