//! The list of all checks.

/// Hands the list of all checks to a macro, after what was given for it in braces.
///
/// There is no other list: a check that is not here is dead code.
#[doc(hidden)]
#[macro_export]
macro_rules! __tier_checks {
    ([$($callback:tt)*] $arguments:tt) => {
        $($callback)*! {
            $arguments
            lease {
                a_value_is_led_stored_and_read
                a_seen_value_is_not_returned_again
                a_refresh_does_not_look_at_the_value
                a_second_load_is_told_who_leads
                a_put_takes_the_lease_whatever_is_there
                one_of_many_leads
                a_lease_is_one_keys
                an_eviction_breaks_the_lease
                a_store_beside_an_eviction_leaves_nothing
                only_the_holder_renews_and_releases
                a_store_gives_the_lease_back
                a_refused_store_leaves_everything_as_it_was
                an_expired_lease_cannot_store
                waiting_does_not_prolong_a_lease
                a_hold_refuses_stores_and_is_only_ever_extended
                a_hold_bars_what_is_loaded_and_not_what_is_there
                a_hold_breaks_the_lease_and_ends
                an_entry_of_a_higher_version_is_left_alone
                an_entry_that_was_cut_off_has_no_version
            }
            failures {
                only_a_lease_that_stands_leaves_a_note
                a_note_is_heeded_by_who_asks_for_it
                a_put_does_not_heed_a_note
                a_value_that_was_not_seen_comes_before_a_note
                a_note_ends_by_itself
                evicting_and_expiring_a_key_removes_its_note
                a_note_keeps_nothing_but_itself
            }
            value {
                a_life_runs_out
                a_life_is_the_last_values
                lives_are_clamped_to_what_the_server_takes
                bytes_come_back_as_they_were
                the_empty_key_is_a_key
                keys_that_look_alike_are_apart
                many_keys_go_in_chunks
            }
            labels {
                a_label_is_created_once_whoever_asks
                a_value_is_read_with_its_labels
                a_lease_comes_with_the_answers
                nothing_to_ask_is_answered
                an_eviction_replaces_both_halves_and_expire_the_second
                an_eviction_replaces_nothing_else
                a_label_nobody_made_can_be_evicted
                a_hold_equals_nothing_and_ends
                a_hold_of_a_label_is_only_ever_extended
                a_label_lives_as_long_as_the_longest_that_was_asked_for
                the_clock_goes_on_with_every_creation_and_eviction
            }
            registry {
                the_first_to_register_makes_the_generation_and_tells_everybody
                who_has_no_template_registers_none
                a_registry_without_a_generation_decides_nothing
                evicting_the_cache_leaves_the_registry
                every_region_is_registered
            }
            removal {
                keys_labels_and_the_registry_go_in_one_call
                nothing_is_removed_where_nothing_is_asked
                an_expired_value_stays_for_as_long_as_before
                expire_makes_nothing
                expire_makes_nothing_longer
                what_is_absent_can_be_evicted_again_and_again
                large_removals_are_complete
                a_label_that_is_named_twice_is_held_for_the_longer_time
            }
            sweep {
                a_sweep_takes_what_matches_and_nothing_else
                the_exact_match_is_made_here
                a_sweep_breaks_leases
                a_sweep_beside_stores_leaves_nothing
                a_digested_key_is_swept_where_its_region_can_match
                a_sweep_reaches_every_scope
                everything_means_every_entry_of_this_cache
                expire_keeps_values_and_breaks_leases
            }
            reclaim {
                only_the_dead_below_the_region_are_freed
                holds_and_the_living_stay
                the_first_bytes_are_shown
                what_was_stored_since_it_was_looked_at_stays
                many_are_freed_batch_by_batch
                what_was_freed_is_loaded_again
            }
            announce {
                a_store_is_told_once_and_only_if_somebody_waits
                a_lease_that_is_given_back_wakes_who_waits
                leases_that_are_given_back_together_wake_who_waits_for_them
                a_load_that_may_not_store_wakes_who_waits_for_it
                a_load_that_failed_wakes_who_waits_for_it
                a_put_tells_everybody_and_nobody_waits_for_it
                evictions_are_told_by_what_they_name
                a_key_is_gone_when_it_is_told
                a_label_is_replaced_when_it_is_told
                a_sweep_is_done_when_it_is_told
                a_value_is_there_when_it_is_told
                a_note_is_there_when_it_is_told
            }
            bus {
                an_eviction_is_heard_by_others_and_known_as_ones_own
                who_stores_and_releases_is_known_too
                every_message_arrives_once_and_those_about_a_key_in_order
                nothing_is_missed_from_the_start
                beats_come_without_traffic_and_prove_the_way
                a_beat_proves_what_was_sent_before_it
                closing_ends_the_subscription
                a_dropped_instance_lets_its_listener_go
            }
            isolation {
                values_are_apart
                leases_are_apart
                notes_are_apart
                holds_are_apart
                labels_are_apart
                registries_are_apart
                sweeps_are_apart
                reclaims_are_apart
                messages_are_apart
            }
            instance {
                a_tier_is_present_and_gets_connected
                time_goes_on
                a_dropped_call_shifts_no_answer
                a_call_dropped_half_way_bars_nothing
                closing_sends_what_was_given_back
                a_closed_instance_answers_nothing
            }
        }
    };
}
