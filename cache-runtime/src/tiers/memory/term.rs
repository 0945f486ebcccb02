//! The life of an entry: as it is decided, and as memory keeps it.

use std::sync::atomic::{AtomicI64, Ordering};

/// The life of an entry, decided: milliseconds of the memory clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) born: u64,
    /// Until then it is served by itself; zero when it was expired.
    pub(crate) fresh_until: u64,
    /// Until then a policy may allow to serve it.
    pub(crate) stale_until: u64,
    /// When its ttl ends, whatever memory keeps.
    pub(crate) ttl_until: u64,
    /// How long its load took, microseconds.
    pub(crate) took: u32,
}

impl Term {
    /// Of an entry whose ttl ends at `ttl_until` and whose window at `window_until`, kept no longer than `kept_until`.
    pub(crate) fn new(
        born: u64,
        (ttl_until, window_until): (u64, u64),
        kept_until: u64,
        took: u32,
    ) -> Self {
        Self {
            born,
            fresh_until: ttl_until.min(kept_until),
            stale_until: window_until.max(ttl_until).min(kept_until),
            ttl_until,
            took,
        }
    }

    /// The same, past its ttl from the beginning.
    pub(crate) fn expired(self) -> Self {
        Self {
            fresh_until: 0,
            ..self
        }
    }
}

/// When an entry ceases to be fresh, and more that is asked of the entry itself, in one word.
///
/// From the highest bit: whether it was expired; 43 bits of milliseconds, which last for 278 years; 12 of its size; 2 marks; 6 of the length
/// of its key (see [`text`](super::text)).
#[derive(Debug)]
pub(super) struct Life(AtomicI64);

/// As it is now.
impl Clone for Life {
    fn clone(&self) -> Self {
        Self(AtomicI64::new(self.0.load(Ordering::SeqCst)))
    }
}

/// What an entry has beside its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// Particulars.
    Rich,
    /// Particulars, and the full text of a digested key among them.
    Digested,
}

const EXPIRED: i64 = i64::MIN;
const END: u32 = 20;
const MOST: u64 = (1 << 43) - 1;
const SIZE: u32 = 8;
const SIZES: u64 = (1 << 12) - 1;
const TEXT: u8 = 0x3f;
const MARKS: u8 = RICH | 0x40;
/// It has particulars.
const RICH: u8 = 0x80;
/// It has, and the full text of a digested key is among them.
const DIGESTED: u8 = RICH | 0x40;
/// It has none, and what its hits call for is kept beside it.
const WATCHED_LATE: u8 = 0x40;

/// What hits do not ask: its birth, and what follows on its fresh life. Kept beside the entry, in 5 bytes that the map would leave empty.
///
/// Memory keeps an entry either beyond its ttl, by a window, or not as long as its ttl, so one difference tells both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record([u8; 5]);

/// A time in 19 bits: a mark, 4 bits of zeros, 14 of the number before them. So it is exact where four digits and zeros say it, or below 16 seconds, and within
/// a sixteen hundredth elsewhere.
#[derive(Clone, Copy)]
struct Span(u32);

impl Span {
    const BITS: u32 = 19;
    const MARK: u32 = 1 << 18;
    const NUMBER: u64 = (1 << 14) - 1;

    /// Of milliseconds, rounded up or down.
    fn of(mut millis: u64, round: impl Fn(u64) -> u64) -> Self {
        let mut zeros = 0;
        while millis > Self::NUMBER && zeros < 15 {
            millis = round(millis);
            zeros += 1;
        }
        let number = u32::try_from(millis.min(Self::NUMBER)).expect("it is 14 bits");
        Self(zeros << 14 | number)
    }

    fn millis(self) -> u64 {
        let zeros = self.0 >> 14 & 0xf;
        let number = u64::from(self.0) & Self::NUMBER;
        number.saturating_mul(10_u64.pow(zeros))
    }
}

impl Life {
    pub(super) fn of(term: &Term, size: usize, text: u8, kind: Kind) -> Self {
        let (end, expired) = end_of(term);
        let (size, _) = rounded_up(size);
        let kind = match kind {
            Kind::Plain => 0,
            Kind::Rich => RICH,
            Kind::Digested => DIGESTED,
        };
        let word = end << END | size << SIZE | u64::from(kind | text);
        let expired = if expired { EXPIRED } else { 0 };
        Self(AtomicI64::new(word.cast_signed() | expired))
    }

    #[inline]
    pub(super) fn is_fresh(&self, now: u64) -> bool {
        // One that was expired is negative.
        signed(now) < self.word() >> END
    }

    /// It counts as past its ttl.
    pub(super) fn expire(&self) {
        self.0.fetch_or(EXPIRED, Ordering::SeqCst);
    }

    /// When it ends or, if it was expired, would have ended.
    pub(super) fn end(&self) -> u64 {
        (self.0.load(Ordering::SeqCst) & !EXPIRED).cast_unsigned() >> END
    }

    /// How long its key is, as it was given.
    #[inline]
    pub(super) fn text(&self) -> u8 {
        self.low() & TEXT
    }

    /// Its size: to the byte up to four thousand, and no more than a five hundredth above it beyond.
    pub(super) fn size(&self, record: Record) -> u64 {
        let size = self.word().cast_unsigned() >> SIZE & SIZES;
        size << (3 * record.size_zeros())
    }

    #[inline]
    pub(super) fn is_rich(&self) -> bool {
        self.low() & RICH != 0
    }

    #[inline]
    pub(super) fn is_digested(&self) -> bool {
        self.low() & MARKS == DIGESTED
    }

    /// What its hits call for is kept beside it; it has no particulars. Whether it was before.
    pub(super) fn watched_late(&self) -> bool {
        self.0.fetch_or(WATCHED_LATE.into(), Ordering::SeqCst) & i64::from(WATCHED_LATE) != 0
    }

    #[inline]
    pub(super) fn is_watched_late(&self) -> bool {
        self.low() & MARKS == WATCHED_LATE
    }

    /// What was decided, but for how long the load took.
    pub(super) fn term(&self, record: Record) -> Term {
        let (life, end) = (self.0.load(Ordering::SeqCst), self.end());
        let [lived, after] = record.spans();
        let later = end.saturating_add(after.millis());
        let (stale_until, ttl_until) = if after.0 & Span::MARK == 0 {
            (later, end)
        } else {
            (end, later)
        };
        Term {
            born: end.saturating_sub(lived.millis()),
            fresh_until: if life < 0 { 0 } else { end },
            stale_until,
            ttl_until,
            took: 0,
        }
    }

    #[inline]
    fn low(&self) -> u8 {
        self.word().to_le_bytes()[0]
    }

    #[inline]
    fn word(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Record {
    pub(super) fn of(term: &Term, size: usize) -> Self {
        let (end, _) = end_of(term);
        let (_, zeros) = rounded_up(size);
        // Neither is it younger than it was, nor is it served longer.
        let lived = Span::of(end.saturating_sub(term.born), |it| it.div_ceil(10));
        let down = |later: u64| Span::of(later.saturating_sub(end), |it| it / 10);
        let after = if term.ttl_until.min(MOST) > end {
            Span(down(term.ttl_until).0 | Span::MARK)
        } else {
            down(term.stale_until)
        };
        let spans = u64::from(lived.0) << Span::BITS | u64::from(after.0);
        let [bytes @ .., _, _, _] = (u64::from(zeros) << 37 | spans).to_le_bytes();
        Self(bytes)
    }

    fn word(self) -> u64 {
        let [a, b, c, d, e] = self.0;
        u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
    }

    fn size_zeros(self) -> u64 {
        self.word() >> 37
    }

    fn spans(self) -> [Span; 2] {
        let span = |bits: u64| Span(u32::try_from(bits & 0x7_ffff).expect("it is 19 bits"));
        // The first has no mark; there the zeros of the size begin.
        let lived = self.word() >> Span::BITS & 0x3_ffff;
        [span(lived), span(self.word())]
    }
}

/// When the fresh life of an entry ends or, if it was expired, would have ended; and whether it was.
fn end_of(term: &Term) -> (u64, bool) {
    let expired = term.fresh_until == 0;
    let end = if expired {
        term.ttl_until.min(term.stale_until)
    } else {
        term.fresh_until
    };
    (end.min(MOST), expired)
}

/// In 12 bits, and so many times three zeros behind them, up to seven.
fn rounded_up(size: usize) -> (u64, u8) {
    let (mut size, mut zeros) = (size as u64, 0);
    while size > SIZES && zeros < 7 {
        size = size.div_ceil(8);
        zeros += 1;
    }
    (size.min(SIZES), zeros)
}

#[inline]
fn signed(moment: u64) -> i64 {
    i64::try_from(moment).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Life, Record, Term};

    const DAY: u64 = 86_400_000;

    fn kept(term: &Term) -> (Life, Record) {
        (Life::of(term, 5, 63, Kind::Plain), Record::of(term, 5))
    }

    fn assert_same(one: &Term, other: &Term) {
        assert!(one.born <= other.born && other.born - one.born < 1_000);
        assert_eq!(one.fresh_until, other.fresh_until, "{other:?}");
        assert_eq!(one.stale_until, other.stale_until, "{other:?}");
        assert_eq!(one.ttl_until, other.ttl_until, "{other:?}");
    }

    #[test]
    fn what_is_decided_is_kept() {
        for (ttl, window, until) in [
            (100, 100, u64::MAX),
            (100, 5_000, u64::MAX),
            (100, 5_000, 3_000),
            (10_000, 20_000, 3_000),
            (900 * DAY, 920 * DAY, u64::MAX),
            (10 * DAY, 40 * DAY, DAY),
        ] {
            let term = Term::new(7, (ttl, window), until, 0);
            let (life, record) = kept(&term);
            assert_same(&life.term(record), &term);
            life.expire();
            life.expire();
            assert_same(&life.term(record), &term.expired());
            assert_eq!((life.text(), life.size(record)), (63, 5));
            let (life, record) = kept(&term.expired());
            assert_same(&life.term(record), &term.expired());
        }
    }

    #[test]
    fn what_is_no_round_number_is_never_served_longer() {
        for odd in [1, 999, 32_768, 10_000_001, 40 * DAY + 1] {
            let born = DAY;
            let (ttl, window) = (born + odd, born + odd + odd / 3);
            for until in [u64::MAX, born + odd / 2] {
                let term = Term::new(born, (ttl, window), until, 0);
                let (life, record) = kept(&term);
                let kept = life.term(record);
                let least = |exact: u64| exact - odd / 1_600..=exact;
                assert_eq!(kept.fresh_until, term.fresh_until);
                assert!(least(born).contains(&kept.born), "{term:?} {kept:?}");
                assert!(least(term.stale_until).contains(&kept.stale_until));
                assert!(least(term.ttl_until).contains(&kept.ttl_until));
            }
        }
    }

    #[test]
    fn sizes_are_kept_and_long_ones_nearly() {
        let term = Term::new(0, (100, 500), u64::MAX, 0);
        for size in [0, 1, 4_095, 4_096, 4_097, 65_537, 123_456_789, 1 << 32] {
            let life = Life::of(&term, size, 0, Kind::Plain);
            let kept = life.size(Record::of(&term, size)) as usize;
            assert!(size <= kept && kept <= size + size / 500, "{size} {kept}");
            assert!(kept == size || size > 4_095);
        }
    }

    #[test]
    fn an_expired_entry_is_kept_for_who_may_have_it() {
        let (life, record) = kept(&Term::new(0, (100, 500), u64::MAX, 0));
        assert!(life.is_fresh(99) && !life.is_fresh(100));
        life.expire();
        assert!(!life.is_fresh(0));
        assert_eq!(life.term(record).stale_until, 500);
    }

    #[test]
    fn a_mark_changes_nothing_else() {
        let (life, record) = kept(&Term::new(0, (100, 500), u64::MAX, 0));
        assert!(!life.is_watched_late());
        life.watched_late();
        assert!(life.is_watched_late() && life.is_fresh(99) && !life.is_fresh(100));
        assert_eq!(life.term(record).fresh_until, 100);
    }

    #[test]
    fn kinds_are_told_apart() {
        let term = Term::new(0, (100, 500), u64::MAX, 0);
        let told = |kind| {
            let life = Life::of(&term, 5, 7, kind);
            (life.is_rich(), life.is_digested(), life.is_watched_late())
        };
        assert_eq!(told(Kind::Plain), (false, false, false));
        assert_eq!(told(Kind::Rich), (true, false, false));
        assert_eq!(told(Kind::Digested), (true, true, false));
    }

    #[test]
    fn what_ends_in_thousands_of_years_ends_in_hundreds() {
        let (life, record) = kept(&Term::new(0, (u64::MAX, u64::MAX), u64::MAX, 0));
        assert!(life.is_fresh(250 * 365 * DAY));
        assert!(life.term(record).stale_until > 250 * 365 * DAY);
    }
}
