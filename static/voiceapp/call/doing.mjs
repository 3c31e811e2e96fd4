/** What the agent does while it uses a tool, in words. */

import { t } from "../texts.mjs";

const DOING = {
    look_up_items: t("Checking the menu…"),
    change_order: t("Writing the order…"),
    usual_order: t("Looking up your usual order…"),
    choose_delivery: t("Checking the delivery…"),
    read_back_order: t("Adding up the order…"),
    submit_order: t("Sending the order…"),
    look_up_services: t("Checking the services…"),
    find_appointment_times: t("Looking for free times…"),
    choose_appointment: t("Writing the appointment…"),
    read_back_appointment: t("Checking the appointment…"),
    book_appointment: t("Booking the appointment…"),
    find_my_appointments: t("Looking up appointments…"),
    move_appointment: t("Moving the appointment…"),
    cancel_appointment: t("Canceling the appointment…"),
    get_opening_hours: t("Checking the opening hours…"),
    transfer_call: t("Connecting a person…"),
    end_call: t("Saying goodbye…"),
    send_text: t("Sending a text…"),
    stop_recording: t("Ending the recording…"),
};

/** Empty without a tool. */
export const doing = (tool) => tool && (DOING[tool] ?? t("Working…"));
