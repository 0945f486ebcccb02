//! The suite notices what a tier does wrong: a suite that cannot fail is worth nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cache_runtime::testing::conformance;
use cache_runtime::tier::Tier;

use crate::broken::Broken;

macro_rules! noticed {
    ($($test:ident: $fault:ident by $($check:literal),+;)*) => {
        /// What is wrong with a tier.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            Nothing,
            $($fault,)*
        }

        $(#[test]
        fn $test() {
            for check in [$($check),+] {
                notices(Fault::$fault, check);
            }
        })*
    };
}

noticed! {
    the_suite_notices_a_store_without_a_lease: StoresWithoutALease by
        "lease::an_eviction_breaks_the_lease", "lease::a_refused_store_leaves_everything_as_it_was";
    the_suite_notices_an_eviction_that_leaves_the_lease: LeavesLeases by "lease::an_eviction_breaks_the_lease";
    the_suite_notices_a_sweep_that_leaves_leases: SweepsNoLeases by "sweep::a_sweep_breaks_leases";
    the_suite_notices_a_put_that_waits: PutsWaitTheirTurn by "lease::a_second_load_is_told_who_leads";
    the_suite_notices_a_seen_value_that_comes_again: ForgetsWhatWasSeen by "lease::a_seen_value_is_not_returned_again";
    the_suite_notices_a_release_of_anybodys_lease: ReleasesAnybodys by "lease::only_the_holder_renews_and_releases";
    the_suite_notices_a_lease_that_is_not_given_back: KeepsLeases by "instance::closing_sends_what_was_given_back";
    the_suite_notices_two_that_lead: EverybodyLeads by "lease::one_of_many_leads", "lease::a_second_load_is_told_who_leads";
    the_suite_notices_a_refresh_that_is_given_the_value: LooksAtEveryValue by "lease::a_refresh_does_not_look_at_the_value";
    the_suite_notices_a_value_that_is_cut_off: CutsLongValuesOff by "value::bytes_come_back_as_they_were";
    the_suite_notices_a_removal_that_is_not_complete: RemovesTheFirstOnly by "value::many_keys_go_in_chunks", "removal::large_removals_are_complete";
    the_suite_notices_a_label_that_reading_makes: CreatesWhatItReads by "labels::a_label_is_created_once_whoever_asks";
    the_suite_notices_a_region_that_is_not_registered: RegistersNoRegion by "registry::every_region_is_registered";
    the_suite_notices_a_lease_that_ends_early: LeasesEndEarly by "lease::an_expired_lease_cannot_store";
    the_suite_notices_a_life_that_ends_early: LivesEndEarly by "value::a_life_runs_out";
    the_suite_notices_an_older_version_over_a_newer: ForgetsVersions by "lease::an_entry_of_a_higher_version_is_left_alone";
    the_suite_notices_a_hold_that_is_ignored: IgnoresHolds by
        "lease::a_hold_refuses_stores_and_is_only_ever_extended", "lease::a_hold_breaks_the_lease_and_ends";
    the_suite_notices_a_hold_of_a_label_that_is_ignored: IgnoresHoldsOfLabels by "labels::a_hold_equals_nothing_and_ends";
    the_suite_notices_a_generation_that_outlives_its_eviction: LeavesGenerations by
        "labels::an_eviction_replaces_both_halves_and_expire_the_second", "labels::the_clock_goes_on_with_every_creation_and_eviction";
    the_suite_notices_labels_in_another_order: MixesLabelsUp by "labels::a_value_is_read_with_its_labels";
    the_suite_notices_a_clock_that_is_shown_later: ShowsTheClockLater by "labels::the_clock_goes_on_with_every_creation_and_eviction";
    the_suite_notices_a_registry_that_may_be_lost: ReliesOnAnyRegistry by "registry::a_registry_without_a_generation_decides_nothing";
    the_suite_notices_an_expiry_that_removes: ExpireRemoves by "removal::an_expired_value_stays_for_as_long_as_before";
    the_suite_notices_a_sweep_of_everything: SweepsEverything by "sweep::a_sweep_takes_what_matches_and_nothing_else";
    the_suite_notices_that_the_living_are_reclaimed: ReclaimsTheLiving by "reclaim::only_the_dead_below_the_region_are_freed";
    the_suite_notices_that_what_is_newer_is_reclaimed: ReclaimsWhatIsNewer by "reclaim::what_was_stored_since_it_was_looked_at_stays";
    the_suite_notices_a_message_before_the_change: TellsBeforeItIsDone by "announce::a_key_is_gone_when_it_is_told";
    the_suite_notices_a_message_that_is_lost: LosesAMessage by "bus::every_message_arrives_once_and_those_about_a_key_in_order";
    the_suite_notices_a_message_that_comes_twice: TellsTwice by "bus::every_message_arrives_once_and_those_about_a_key_in_order";
    the_suite_notices_a_message_nobody_waits_for: EverybodyWaits by "announce::a_store_is_told_once_and_only_if_somebody_waits";
    the_suite_notices_a_put_that_is_not_told: PutsTellWhoWaits by "announce::a_put_tells_everybody_and_nobody_waits_for_it";
    the_suite_notices_an_instance_that_does_not_know_its_own_messages: DoesNotKnowItsOwn by
        "bus::an_eviction_is_heard_by_others_and_known_as_ones_own";
    the_suite_notices_a_beat_that_counts_from_later: BeatsCountFromLater by "bus::beats_come_without_traffic_and_prove_the_way";
    the_suite_notices_an_instance_that_never_closes: NeverCloses by
        "instance::a_closed_instance_answers_nothing", "bus::closing_ends_the_subscription";
    the_suite_notices_a_note_without_a_lease: NotesWithoutALease by "failures::only_a_lease_that_stands_leaves_a_note";
    the_suite_notices_a_failure_that_is_not_noted: FailuresAreReleases by
        "failures::only_a_lease_that_stands_leaves_a_note", "failures::a_note_is_heeded_by_who_asks_for_it";
    the_suite_notices_a_failure_that_keeps_the_lease: FailuresKeepTheLease by
        "failures::only_a_lease_that_stands_leaves_a_note", "failures::a_note_keeps_nothing_but_itself";
    the_suite_notices_a_note_that_nobody_heeds: NobodyHeedsNotes by "failures::a_note_is_heeded_by_who_asks_for_it";
    the_suite_notices_a_note_that_everybody_heeds: EverybodyHeedsNotes by "failures::a_note_is_heeded_by_who_asks_for_it";
    the_suite_notices_a_note_that_a_put_heeds: PutsHeedNotes by "failures::a_put_does_not_heed_a_note";
    the_suite_notices_a_note_that_hides_a_value: NotesHideValues by "failures::a_value_that_was_not_seen_comes_before_a_note";
    the_suite_notices_a_note_that_ends_early: NotesEndEarly by "failures::a_note_ends_by_itself";
    the_suite_notices_a_note_that_never_ends: NotesNeverEnd by "failures::a_note_ends_by_itself";
    the_suite_notices_an_eviction_that_leaves_a_note: EvictionsLeaveNotes by "failures::evicting_and_expiring_a_key_removes_its_note";
    the_suite_notices_an_expiry_that_leaves_a_note: ExpiriesLeaveNotes by "failures::evicting_and_expiring_a_key_removes_its_note";
    the_suite_notices_a_failure_that_wakes_nobody: FailuresWakeNobody by "announce::a_load_that_failed_wakes_who_waits_for_it";
    the_suite_notices_a_failure_that_is_told_before_it_is_noted: TellsAFailureBeforeItIsNoted by "announce::a_note_is_there_when_it_is_told";
    the_suite_notices_caches_that_are_not_apart: MixesCachesUp by
        "isolation::values_are_apart", "isolation::leases_are_apart", "isolation::notes_are_apart", "isolation::holds_are_apart", "isolation::labels_are_apart",
        "isolation::registries_are_apart", "isolation::sweeps_are_apart", "isolation::reclaims_are_apart", "isolation::messages_are_apart";
}

/// The check fails with the fault, and not without it.
fn notices(fault: Fault, check: &str) {
    assert!(
        passes(Fault::Nothing, check),
        "{check} fails without a fault"
    );
    assert!(!passes(fault, check), "{check} does not notice {fault:?}");
}

fn passes(fault: Fault, check: &str) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for one check");
    let checked = AssertUnwindSafe(|| runtime.block_on(conformance::check(check, store(fault))));
    catch_unwind(checked).is_ok()
}

/// A fresh store, as tiers with this fault see it.
fn store(fault: Fault) -> impl Fn(&str) -> Arc<dyn Tier> + Send + Sync + 'static {
    let (inner, board, asked) = (crate::store(), Default::default(), Default::default());
    move |cache: &str| -> Arc<dyn Tier> {
        let name = match fault {
            Fault::MixesCachesUp => "all",
            _ => cache,
        };
        Arc::new(Broken {
            inner: inner(name),
            fault,
            board: Clone::clone(&board),
            asked: Arc::clone(&asked),
        })
    }
}

/// Harnesses other than tokio's need their own list.
#[test]
fn checks_are_known_by_their_names() {
    let names: Vec<_> = conformance::checks().collect();
    assert!(names.contains(&"lease::a_value_is_led_stored_and_read"));
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    let unknown = catch_unwind(|| passes(Fault::Nothing, "lease::unknown"));
    assert!(!unknown.unwrap());
}
