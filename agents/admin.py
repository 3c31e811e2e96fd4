"""Where Django looks for the admin pages of this app."""

import agents.audit_log.admin
import agents.call_page.admin
import agents.catalog.admin.category
import agents.catalog.admin.daypart
import agents.catalog.admin.item
import agents.catalog.admin.menu
import agents.catalog.admin.modifier
import agents.catalog.admin.service
import agents.catalog.admin.spoken_word
import agents.catalog.admin.stock
import agents.configuration.admin.agent
import agents.configuration.admin.agent_version
import agents.configuration.admin.realtime_endpoint
import agents.delivery.admin
import agents.invitations.admin
import agents.organizations.admin.api_key
import agents.organizations.admin.organization
import agents.organizations.admin.people
import agents.privacy.admin
import agents.resources.admin
import agents.transfers.admin  # noqa: F401 - all of these register themselves
