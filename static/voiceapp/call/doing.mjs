/** What the agent does while it uses a tool, in words. */

const DOING = {
    look_up_items: "Checking the menu…",
    change_order: "Writing the order…",
    read_back_order: "Adding up the order…",
    submit_order: "Sending the order…",
    look_up_services: "Checking the services…",
    find_appointment_times: "Looking for free times…",
    choose_appointment: "Writing the appointment…",
    read_back_appointment: "Checking the appointment…",
    book_appointment: "Booking the appointment…",
    find_my_appointments: "Looking up appointments…",
    move_appointment: "Moving the appointment…",
    cancel_appointment: "Canceling the appointment…",
    get_opening_hours: "Checking the opening hours…",
    transfer_call: "Connecting a person…",
    end_call: "Saying goodbye…",
    send_text: "Sending a text…",
    stop_recording: "Ending the recording…",
};

/** Empty without a tool. */
export const doing = (tool) => tool && (DOING[tool] ?? "Working…");
