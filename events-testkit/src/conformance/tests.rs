//! One test for each scenario.

/// Makes one test of each scenario of the [suite](crate::conformance).
///
/// Give the attributes of a test, and an async block that answers a [`Cluster`](crate::conformance::Cluster).
#[macro_export]
macro_rules! conformance_tests {
    ($(#[$attribute:meta])+ async $cluster:block) => {
        $crate::__conformance_tests! {
            { $(#[$attribute])* } { $cluster }
            flow {
                every_record_is_handled_once
                emissions_carry_the_envelope
                one_of_several_types_is_taken
                the_publisher_belongs_to_the_attempt
                an_undeclared_event_is_not_published
                a_blocking_handler_works
                handlers_progress_on_their_own
            }
            order {
                keys_are_in_order_and_side_by_side
                a_failed_key_stays_in_front_when_keys_are_spread
                slow_keys_keep_their_slots_while_others_end
                keys_take_idle_slots
                no_key_waits_behind_a_slow_one
                a_failed_key_waits_alone
                records_without_a_key_run_side_by_side
                records_without_order_run_side_by_side
            }
            failure {
                errors_are_tried_again
                a_hopeless_record_is_dead_lettered
                a_terminal_error_is_given_up_at_once
                a_panic_is_an_error
                an_undecodable_record_is_given_up_at_once
                texts_of_errors_may_be_kept_out
                a_late_attempt_is_dropped_and_made_again
                the_longest_times_are_times
            }
            breaker {
                a_dead_dependency_costs_no_record
                probes_take_turns
                many_poison_keys_do_not_stall_for_ever
                unavailable_holds_at_once
                a_table_classifies_errors
                a_handler_is_paused_and_resumed
            }
            progress {
                the_watermark_waits_for_every_record
                a_kill_repeats_only_what_was_not_done
                a_short_assignment_keeps_the_map_of_the_one_before
                duplicates_are_skipped
                unacknowledged_emissions_hold_the_watermark
                late_acknowledgements_find_nobody
            }
            gaps {
                gaps_are_passed
                offsets_behind_the_last_record_are_passed
                a_gap_at_the_end_passes_no_record
                a_record_that_waits_behind_a_gap_is_not_passed
            }
            commits {
                commits_go_on_while_partitions_drain
                a_member_s_records_make_a_commit_due
                a_kill_repeats_no_more_than_the_bound
            }
            publishing {
                a_storm_ends_at_the_hop_limit
                a_refused_emission_is_dead_lettered_with_its_record
                a_refused_dead_letter_waits
                emissions_are_sent_again_after_a_lost_producer
                a_full_queue_is_waited_for
            }
            oversize {
                a_swollen_emission_leaves_its_value_to_its_record
                what_came_packed_is_parked_and_dead_lettered_whole
                what_is_refused_for_its_size_gives_up_its_text
                a_dead_letter_that_waited_for_its_topic_is_whole
                a_record_beyond_the_bound_is_not_handled
            }
            record_times {
                a_time_that_a_topic_refuses_goes_into_a_header
                a_clock_that_a_topic_refuses_is_waited_for
            }
            breaker_lanes {
                lanes_count_failing_keys_together
            }
            breaker_turns {
                a_slot_without_records_passes_its_turn_on
            }
            errors {
                an_error_without_an_end_is_an_error
            }
            pressure {
                held_records_are_bounded_and_named
                a_full_lane_names_what_it_waits_for
                records_in_flight_are_bounded
                bytes_in_flight_are_bounded
                bytes_of_headers_are_bounded
                bytes_of_emissions_are_bounded
                the_map_never_outgrows_its_metadata
            }
            pressure_shared {
                lanes_share_the_memory_of_their_process
            }
            health {
                a_lane_that_does_not_advance_is_unhealthy
                an_overdue_blocking_attempt_is_unhealthy
            }
            membership {
                a_drain_finishes_what_runs
                what_outlives_the_drain_is_abandoned
                members_come_and_go_cleanly
                another_member_takes_over_after_a_kill
            }
            starts {
                a_fresh_group_starts_at_the_earliest
                a_fresh_group_may_start_at_the_latest
                a_fresh_group_may_start_at_a_time
                a_group_out_of_range_holds
                an_unreadable_partition_is_named_and_read_on
            }
            input {
                records_that_nobody_knows_are_skipped
                a_topic_may_have_a_default_type
                odd_headers_harm_nothing
                all_read_headers_alike
                later_versions_are_read_if_they_can_be
                mangled_values_are_dead_lettered
            }
            header_bounds {
                too_many_headers_are_dead_lettered
                headers_that_are_not_read_are_bounded_in_dead_letters
                as_many_headers_as_a_record_may_have_are_parked
            }
            structured {
                a_structured_record_is_read_as_a_binary_one
                a_broken_envelope_is_dead_lettered
                a_topic_without_headers_reads_both_modes
                a_structured_record_that_waited_is_read
                a_structured_record_is_retried_parked_and_redriven
            }
            parking {
                a_parked_key_waits_in_order_and_others_flow
                a_released_key_is_parked_no_more
                parked_records_are_bounded_and_named
                a_parked_record_too_old_is_dead_lettered_and_its_key_goes_on
                a_blocked_key_is_never_given_up
                records_without_a_key_park_alone
                a_refused_append_holds_the_lane
                a_later_version_waits_for_a_newer_build
            }
            parking_hint {
                a_claim_outlives_the_facts_that_were_deleted
                a_hint_is_committed_again_every_day
            }
            parking_limits {
                parked_records_in_all_are_bounded
                parked_bytes_are_bounded
                what_is_not_read_back_is_bounded
                an_append_refused_for_a_moment_keeps_its_place
                what_is_done_behind_an_open_record_is_forgotten
                what_is_remembered_is_bounded
            }
            parking_flood {
                orders_are_read_beyond_the_bound
                redrives_beyond_twice_the_bound_are_refused
                lanes_share_what_their_process_may_park
                a_log_with_more_than_lanes_write_is_read_no_further
                past_its_bound_a_key_is_dead_lettered
            }
            parking_structured {
                a_copy_in_another_mode_stands_for_its_record
            }
            parking_unordered {
                records_without_order_park_alone
            }
            parking_made_anew {
                a_topic_made_anew_loses_nothing
                a_group_made_anew_takes_over_what_is_parked_by_itself
            }
            parking_bearer {
                a_duplicate_of_what_an_earlier_owner_parked_is_not_handled
            }
            parking_survives {
                a_kill_while_a_key_is_parked
                a_kill_during_an_append
                a_kill_during_a_release
                a_zombie_is_ignored
                another_member_takes_parked_keys_over
                a_drain_leaves_parked_keys_to_the_next
            }
            parking_takeover {
                an_earlier_record_that_was_not_parked_keeps_its_place
                what_was_not_handled_before_makes_no_duplicates
            }
            parking_by_hand {
                a_redriven_record_reaches_its_handler_alone_and_once
                a_redriven_record_goes_behind_what_is_parked
                a_discarded_record_is_gone
                a_key_can_be_tried_at_once
                a_head_can_be_skipped
                a_paused_handler_parks_behind_a_parked_key
                a_claim_that_none_outranks_is_given_up_by_hand
            }
            parking_forged {
                a_forged_claim_stops_no_lane
                an_action_counts_for_the_record_that_it_names
            }
            middleware {
                layers_stand_around_attempts
                layers_stand_around_blocking_attempts
                a_panic_outside_the_handler_is_an_error_too
            }
            panics {
                a_panic_in_a_drop_is_an_error_of_its_record
                a_panic_in_a_drop_on_a_thread_is_an_error_of_its_record
            }
            panics_leaving {
                a_panic_in_a_drop_spoils_no_drain
                a_panic_while_a_slot_is_prepared_is_an_error_of_its_record
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($attributes:tt $cluster:tt $($room:ident { $($scenario:ident)+ })+) => {
        $($($crate::__conformance_test!($attributes $cluster $room $scenario);)+)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_test {
    ({ $($attributes:tt)* } { $cluster:block } $room:ident $scenario:ident) => {
        $($attributes)*
        async fn $scenario() {
            let cluster = $cluster;
            $crate::conformance::$room::$scenario(&cluster).await.report(stringify!($scenario));
        }
    };
}
