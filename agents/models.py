"""Where Django looks for the models of this app; code imports them from their own folders."""

import agents.audit_log.models
import agents.call_page.models
import agents.catalog.models
import agents.configuration.models
import agents.delivery.models
import agents.greetings.models
import agents.hours.models
import agents.invitations.models
import agents.organizations.models
import agents.privacy.models
import agents.resources.models
import agents.transfers.models
import agents.two_factor.models  # noqa: F401 - all of these register themselves
