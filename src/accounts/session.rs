//! When a session ends: after a time without use, and after a time in any case.

use crate::domain::Timestamp;
use crate::store::Session;

const MINUTE: u64 = 60_000;
/// Without use: a working day. OWASP (Session Management) asks for hours at most where little is at stake.
pub const IDLE: u64 = 12 * 60 * MINUTE;
/// In any case: NIST SP 800-63B, 4.1.3, asks for a new proof once in 30 days at least; a week is kinder to a laptop
/// that is lost.
pub const LONGEST: u64 = 7 * 24 * 60 * MINUTE;
/// Uses within this time are one use: a page must not cost a write to the disk.
const GRAIN: u64 = 5 * MINUTE;

/// Whether a session counts no more.
pub fn has_ended(session: &Session, now: Timestamp) -> bool {
    let since = |then: Timestamp| now.0.saturating_sub(then.0);
    since(session.created_at) >= LONGEST || since(session.seen_at) >= IDLE
}

/// Whether it is time to note that a session was used.
pub fn is_worth_noting(session: &Session, now: Timestamp) -> bool {
    now.0.saturating_sub(session.seen_at.0) >= GRAIN
}

/// Sessions that began before the first time or were last seen before the second have ended.
pub fn oldest(now: Timestamp) -> (Timestamp, Timestamp) {
    let before = |time: u64| Timestamp((now.0 + 1).saturating_sub(time));
    (before(LONGEST), before(IDLE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;

    #[test]
    fn a_session_ends_by_rest_and_by_age() {
        let session = |began: u64, seen: u64| Session {
            user: UserId::from_bytes([0; 16]),
            created_at: Timestamp(began),
            seen_at: Timestamp(seen),
            address: String::new(),
        };
        for (began, seen, now, ended) in [
            (0, 0, 0, false),
            (0, 0, IDLE - 1, false),
            (0, 0, IDLE, true),
            (0, LONGEST - 1, LONGEST - 1, false),
            (0, LONGEST - 1, LONGEST, true),
            // A clock that was set back ends nobody's session.
            (10, 10, 5, false),
        ] {
            let one = session(began, seen);
            assert_eq!(has_ended(&one, Timestamp(now)), ended, "{began} {seen} {now}");
            let (oldest_began, oldest_seen) = oldest(Timestamp(now));
            assert_eq!(
                one.created_at < oldest_began || one.seen_at < oldest_seen,
                ended,
                "{began} {seen} {now}"
            );
        }
    }
}
