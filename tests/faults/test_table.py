"""Everything that can go wrong has a number and at least one test that tries it; this file holds the list to that.

A fault without a test is not handled: add it here together with its test. The first words say what goes wrong, the
names behind them where it is tried: file and function, below tests/.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FAULTS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("a modem is pulled while idle", (
        "system/test_ports.py::test_a_modem_that_is_pulled_is_missed_within_two_seconds_and_used_again_wherever_it_comes_back",
        "port/test_opener.py::test_unplugged_while_idle_is_noticed_without_spinning",
    )),
    2: ("a modem is pulled before Ctrl-Z", (
        "gateway/test_outbound.py::test_unplugged_before_ctrl_z_is_no_copy_and_no_loss",
        "faults/test_radio.py::test_pulled_at_any_byte_before_ctrl_z_the_message_goes_out_once",
        "port/test_port.py::test_unplugged_at_each_point",
    )),
    3: ("a modem is pulled after Ctrl-Z", ("gateway/test_outbound.py::test_unplugged_after_ctrl_z",)),
    4: ("a modem is pulled between the reference and OK", (
        "gateway/test_outbound.py::test_the_number_of_the_message_alone_is_proof_that_it_was_sent",
    )),
    5: ("ports change their names", (
        "system/test_hotplug.py::test_two_sticks_that_change_places_keep_their_names_and_their_sims",
        "system/test_ports.py::test_another_modem_on_a_port_that_names_its_modem_is_not_used",
        "modem/test_startup.py::test_a_modem_with_another_imei_than_configured_is_not_used",
    )),
    6: ("a modem has several ports", (
        "port/test_discovery.py::test_a_known_modem_is_asked_where_it_takes_commands_and_never_where_it_is_diagnosed",
        "port/test_discovery.py::test_a_port_for_something_else_gets_nothing_but_at",
        "packaging/test_udev.py::test_the_other_ports_of_a_modem_are_no_at_port",
    )),
    7: ("a modem hangs", ("modem/test_recovery.py::test_a_hanging_modem_is_given_up_and_found_again",)),
    8: ("a modem hangs before its prompt, which comes too late", (
        "port/test_port.py::test_a_prompt_that_comes_too_late_is_left_again",
    )),
    9: ("the prompt is lost", ("gateway/test_outbound.py::test_no_prompt_means_nothing_was_sent",)),
    10: ("the prompt has an odd form, or comes in pieces", (
        "modem/test_sending.py::test_every_form_of_the_prompt", "at/test_chat.py::test_every_form_of_prompt",
    )),
    11: ("an answer comes after its deadline", (
        "port/test_order.py::test_no_answer_is_credited_to_another_command",
        "at/test_ledger.py::test_what_is_proven_is_true",
    )),
    12: ("the reference of a message comes after its deadline", (
        "gateway/test_outbound.py::test_an_answer_that_comes_after_the_deadline_is_credited_to_its_message",
        "port/test_order.py::test_no_message_is_credited_to_another",
    )),
    13: ("a modem never stops echoing", (
        "modem/test_startup.py::test_a_modem_that_never_stops_echoing_still_works",
    )),
    14: ("results are digits, or errors without a number", (
        "modem/test_startup.py::test_a_modem_that_speaks_in_digits_is_taught_words",
        "gateway/test_outbound.py::test_an_error_that_proves_nothing_is_uncertain",
    )),
    15: ("an indication comes in the middle of an answer", (
        "modem/test_receiving.py::test_an_indication_in_the_middle_of_a_list_is_heard",
        "modem/test_startup.py::test_an_indication_inside_an_answer_is_no_part_of_it",
    )),
    16: ("two lines are glued together", ("at/test_chat.py::test_glued_lines",)),
    17: ("garbage, or a line without end", (
        "modem/test_recovery.py::test_garbage_on_the_line_does_no_harm",
        "at/test_lines.py::test_a_line_without_end_is_dropped_and_reading_resumes",
        "at/test_fuzz.py::test_chat_takes_anything",
    )),
    18: ("nothing that is said can be read, as with another bit rate", (
        "modem/test_startup.py::test_a_port_where_nobody_answers_says_so_and_is_tried_again",
    )),
    19: ("the SIM is pulled while serving", (
        "modem/test_pin.py::test_a_sim_pulled_while_serving_is_noticed_and_another_one_is_that_other",
    )),
    20: ("another SIM is put in", (
        "faults/test_radio.py::test_another_sim_in_the_modem_has_its_own_counters_and_the_old_one_keeps_its_doubts",
    )),
    21: ("a SIM wants its PIN", (
        "modem/test_pin.py::test_the_configured_pin_opens_the_sim",
        "modem/test_pin.py::test_with_two_tries_left_the_last_but_one_belongs_to_a_person",
    )),
    22: ("the PIN is wrong", (
        "modem/test_pin.py::test_a_wrong_pin_is_tried_once_and_never_again",
        "system/test_ports.py::test_the_pin_is_entered_once_and_a_wrong_one_never_again",
        "modem/test_pin.py::test_a_process_that_died_during_the_try_does_not_repeat_it",
    )),
    23: ("the SIM is blocked", ("modem/test_pin.py::test_a_blocked_sim_is_never_given_anything",)),
    24: ("no network is found", (
        "faults/test_radio.py::test_a_search_for_the_network_is_waited_for_and_counts_against_nobody",
    )),
    25: ("the network denies registration", (
        "faults/test_radio.py::test_a_sim_whose_registration_is_denied_is_left_out_and_the_others_do_its_work",
    )),
    26: ("the SIM is abroad", (
        "faults/test_radio.py::test_abroad_nothing_is_sent_unless_the_owner_allows_it",
        "modem/test_recovery.py::test_roaming_is_a_reason_of_its_own",
    )),
    27: ("the signal is poor and comes and goes", (
        "faults/test_radio.py::test_a_network_that_comes_and_goes_costs_no_message_and_no_copy",
        "modem/test_recovery.py::test_a_weak_signal_says_what_to_do",
    )),
    28: ("the store of received messages is full", (
        "modem/test_receiving.py::test_a_full_sim_is_emptied_and_what_waited_in_the_network_comes",
        "modem/test_receiving.py::test_a_full_store_while_serving_is_told_and_emptied",
    )),
    29: ("an indication is lost", (
        "gateway/test_inbound.py::test_an_indication_that_never_came_is_made_up_for_by_the_sweep",
    )),
    30: ("a modem restarts by itself", (
        "modem/test_recovery.py::test_a_modem_that_restarts_is_set_up_again_before_anything_is_sent",
        "modem/test_sending.py::test_a_restart_after_the_message_is_uncertain_at_once",
    )),
    31: ("a modem forgets its settings without a word", (
        "modem/test_recovery.py::test_a_restart_without_a_word_is_noticed_by_reading_back",
        "modem/test_recovery.py::test_a_setting_that_changes_behind_our_back_is_put_right",
    )),
    32: ("the network delivers the same message twice", (
        "gateway/test_inbound.py::test_the_same_message_twice_by_the_network_is_kept_and_flagged",
    )),
    33: ("the process dies between reading a message and deleting it", (
        "gateway/test_inbound.py::test_a_crash_before_the_delete_is_no_second_message",
        "simulation/test_days.py::test_a_process_that_is_killed_all_the_time_breaks_no_rule",
    )),
    34: ("a part of a long message is lost", (
        "gateway/test_inbound.py::test_a_missing_part_is_released_after_a_day_and_joins_late",
    )),
    35: ("parts make no sense", (
        "faults/test_parts.py::test_numbers_that_make_no_sense_are_messages_of_their_own",
        "faults/test_parts.py::test_a_part_that_comes_twice_is_there_once",
        "faults/test_parts.py::test_references_that_are_used_again_and_senders_that_share_one_are_told_apart",
        "faults/test_parts.py::test_two_hundred_and_fifty_five_parts_in_any_order",
        "faults/test_parts.py::test_single_parts_without_end_take_room_on_disk_alone_and_are_shown_after_a_day",
    )),
    36: ("a report comes before the answer", (
        "faults/test_reports.py::test_a_report_that_outruns_the_answer_finds_its_message",
        "faults/test_reports.py::test_an_early_report_is_proof_where_the_answer_never_comes",
    )),
    37: ("more reports are outstanding than there are references", (
        "faults/test_reports.py::test_a_thousand_outstanding_messages_share_256_numbers",
        "store/test_lives.py::test_reports_after_the_mr_wrapped_find_their_messages",
    )),
    38: ("a report is for nobody", (
        "faults/test_reports.py::test_a_report_that_nobody_waits_for_is_kept_for_ten_days",
    )),
    39: ("a report comes twice, or says less than the one before", (
        "store/test_lives.py::test_final_states_are_sticky", "simulation/test_store_machine.py::TestStoreMachine",
    )),
    40: ("a report comes after days", ("faults/test_reports.py::test_a_report_after_five_days_is_still_taken",)),
    41: ("the clock starts in the past, and learns the time later", (
        "faults/test_clock.py::test_a_start_in_1970_is_no_reason_to_expire_or_repeat_anything_when_the_time_comes",
        "faults/test_clock.py::test_nothing_expires_early_or_lives_longer",
        "faults/test_clock.py::test_the_step_is_noticed_also_when_it_came_while_we_were_down",
        "gateway/test_clock.py::test_a_start_in_1970_and_the_time_coming_later",
        "gateway/test_clock.py::test_a_machine_that_starts_in_the_past_goes_on_from_the_last_time_in_the_store",
    )),
    42: ("the clock goes back", (
        "faults/test_clock.py::test_messages_stay_in_the_order_of_their_arrival_over_a_clock_that_goes_back",
        "faults/test_clock.py::test_no_retry_comes_before_its_time_and_none_much_later",
        "gateway/test_clock.py::test_a_jump_while_running_hurts_no_wait",
        "gateway/test_clock.py::test_what_was_spent_in_a_year_that_never_was_does_not_block_for_years",
    )),
    43: ("a time stamp is impossible", (
        "pdu/test_traps_decoding.py::test_d09_an_impossible_time_does_not_lose_the_message",
        "pdu/test_traps_decoding.py::test_d10_an_unset_time_zone_is_no_time",
        "pdu/test_fields.py::test_any_seven_octets_are_a_time_or_none",
    )),
    44: ("somebody else holds the database", (
        "faults/test_store.py::test_a_lock_of_somebody_else_is_waited_for_and_readers_go_on",
    )),
    45: ("the disk is full", (
        "gateway/test_disk.py::test_new_work_is_refused_before_the_disk_is_full_and_goes_on_by_itself",
        "gateway/test_disk.py::test_hundreds_of_times_full_and_free_loses_and_doubles_nothing",
        "gateway/test_disk.py::test_the_outcome_of_what_a_modem_has_is_written_with_the_ballast",
    )),
    46: ("the database can't be written", (
        "faults/test_store.py::test_a_file_system_that_cannot_be_written_is_refused_in_words",
        "faults/test_store.py::test_a_place_where_no_database_can_be_is_said_in_words",
        "cli/test_backup.py::test_a_read_only_file_system_is_one_line",
    )),
    47: ("the database is damaged at start", (
        "store/test_backup.py::test_a_damaged_database_is_moved_aside_and_nothing_in_its_backup_is_sent_by_itself",
        "cli/test_backup.py::test_a_damaged_database_at_start_is_replaced_and_what_waited_is_held",
        "cli/test_backup.py::test_damaged_without_a_backup_is_one_line_and_exit_code_1",
        "store/test_database.py::test_a_damaged_page_is_found_at_start",
    )),
    48: ("the power fails", (
        "system/test_loops.py::test_three_power_cuts_lose_nothing_that_was_acknowledged",
        "store/test_database.py::test_it_commits_durably",
    )),
    49: ("the process is killed", (
        "simulation/test_days.py::test_a_process_that_is_killed_all_the_time_breaks_no_rule",
        "system/test_loops.py::test_fifty_kills_lose_nothing_double_nothing_and_claim_nothing",
        "system/test_crash_points.py::test_the_process_dies_at_the_pass_that_was_asked_for",
        "gateway/test_outbound.py::test_a_crash_after_ctrl_z_is_never_simply_repeated",
    )),
    50: ("the service is stopped while a modem is sending", (
        "system/test_loops.py::test_ten_stops_in_the_middle_of_sending_leave_nothing_uncertain",
        "system/test_first_hour.py::test_sigterm_while_the_modem_is_sending_waits_for_its_answer",
        "gateway/test_outbound.py::test_a_clean_stop_leaves_nothing_uncertain",
    )),
    51: ("memory runs out: the process is killed, and the queue is not in memory", (
        "simulation/test_days.py::test_a_process_that_is_killed_all_the_time_breaks_no_rule",
        "gateway/test_plans.py::test_no_query_of_a_working_gateway_scans_a_big_table",
    )),
    52: ("no descriptor is left", (
        "faults/test_process.py::test_without_descriptors_new_clients_wait_and_modems_and_store_go_on",
    )),
    53: ("the log can't be written", ("faults/test_process.py::test_a_log_that_cannot_be_written_stops_nothing",)),
    54: ("a second gateway is started", (
        "cli/test_run.py::test_a_second_gateway_and_a_taken_port_are_said_in_one_line",
    )),
    55: ("another program has the port", (
        "port/test_opener.py::test_a_port_that_another_program_holds_is_named",
        "modem/test_recovery.py::test_the_program_that_holds_the_port_is_named",
        "packaging/test_udev.py::test_modem_manager_is_kept_off_modems_and_of_nothing_else",
    )),
    56: ("the configuration is wrong", (
        "config/test_config.py::test_everything_wrong_is_listed_at_once_in_the_order_of_the_file",
        "system/test_first_hour.py::test_five_mistakes_in_the_configuration_are_all_listed_and_nothing_is_started",
    )),
    57: ("an upgrade of the schema is cut off, or comes from the future", (
        "store/test_database.py::test_an_upgrade_that_is_cut_off_leaves_the_old_schema_whole",
        "store/test_database.py::test_a_database_of_a_newer_version_is_left_alone",
        "store/test_backup.py::test_before_an_upgrade_a_copy_of_the_old_schema_is_made",
    )),
    58: ("a client is gone in the middle of its request", (
        "api/test_hostile.py::test_a_client_that_hangs_up_anywhere_and_asks_again_gets_one_message",
    )),
    59: ("the same request comes many times at once", (
        "api/test_messages.py::test_an_idempotency_key_makes_one_message_however_often",
    )),
    60: ("a request is huge, deep or endless", (
        "http/test_server.py::test_ten_megabytes_are_413_quickly_and_not_read",
        "http/test_body.py::test_a_thousand_errors_are_cut_to_a_hundred",
        "api/test_hostile.py::test_whatever_is_sent_is_answered_as_documented_and_stored_only_when_accepted",
    )),
    61: ("clients are slow on purpose", (
        "http/test_server.py::test_a_thousand_slow_sockets_don_t_slow_the_others_down",
        "http/test_server.py::test_a_header_that_never_ends_is_cut",
    )),
    62: ("a webhook's receiver fails", (
        "webhooks/test_dispatcher.py::test_failures_back_off_as_documented_and_the_tenth_is_the_last",
    )),
    63: ("a webhook's receiver says nothing", (
        "webhooks/test_dispatcher.py::test_a_silent_target_is_given_ten_seconds_and_delays_nobody",
        "gateway/test_outbox.py::test_a_target_that_hangs_delays_neither_the_others_nor_the_messages",
    )),
    64: ("a webhook's receiver redirects, or lies inside the network", (
        "webhooks/test_sender.py::test_redirects_are_not_followed",
        "webhooks/test_sender.py::test_loopback_needs_allow_private_by_number_and_by_name",
    )),
    65: ("a webhook's receiver answers without end", (
        "webhooks/test_sender.py::test_an_endless_answer_is_not_read",
    )),
    66: ("very many webhooks wait", (
        "webhooks/test_dispatcher.py::test_a_long_queue_takes_no_longer_for_each",
        "gateway/test_outbox.py::test_ten_thousand_waiting_deliveries_take_no_memory_and_all_arrive_once",
    )),
    67: ("a webhook's receiver is gone for good", (
        "webhooks/test_dispatcher.py::test_gone_ends_the_target_is_announced_to_the_others_and_registering_brings_it_back",
    )),
    68: ("the program itself hangs", (
        "packaging/test_systemd.py::test_it_reports_to_systemd_and_is_watched",
        "cli/test_sdnotify.py::test_the_watchdog_is_meant_for_one_process",
    )),
    69: ("one SIM fails all its messages", (
        "gateway/test_router.py::test_a_sim_whose_messages_are_not_accepted_rests_and_the_other_takes_over",
        "gateway/test_router.py::test_the_breaker_opens_after_different_recipients_and_its_pause_grows",
    )),
    70: ("all modems are away for days", ("faults/test_radio.py::test_five_days_without_any_modem",)),
    71: ("a backup is made while messages go", (
        "store/test_backup.py::test_a_copy_is_whole_private_and_made_beside_the_writer",
    )),
}  # fmt: skip


def test_every_number_is_there() -> None:
    assert sorted(FAULTS) == list(range(1, 72))
    assert all(tests for _, tests in FAULTS.values())


@pytest.mark.parametrize("number", FAULTS)
def test_the_tests_of_a_fault_exist(number: int) -> None:
    what, tests = FAULTS[number]
    missing = [each for each in tests if not _exists(each)]
    assert not missing, f"fault {number} ({what}) names tests that are not there: {missing}"


def _exists(name: str) -> bool:
    path, _, function = name.partition("::")
    return function in _names(TESTS / path)


@cache
def _names(path: Path) -> frozenset[str]:
    """What can be collected from a test file; a machine of rules is a class that is assigned."""
    if not path.exists():
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name.lower().startswith(
            "test"
        ):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {each.id for each in node.targets if isinstance(each, ast.Name) and each.id.startswith("Test")}
    return frozenset(found)
