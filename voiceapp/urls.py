"""All URLs except health and home, which voiceapp/health.py serves before the URL configuration."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from agents.invitations.views import invitation_page
from agents.organizations.languages import choose_language
from agents.organizations.sign_in_links import sign_in_by_link
from agents.two_factor import views as two_factor
from voiceapp.console import first_page
from voiceapp.console.analytics.views import analytics
from voiceapp.console.call_page.api import CallPageSessionView, CallProgressView, VisitorTokenView
from voiceapp.console.call_page.browser_call.api import OfferAgainView, OfferView, RealtimeCallView
from voiceapp.console.call_page.browser_call.recording import PageRecordingView
from voiceapp.console.call_page.page_view import for_named_sites
from voiceapp.console.call_page.views import call_page
from voiceapp.console.live_calls import views as live_calls
from voiceapp.console.setup import views as setup
from voiceapp.console.test_bench import replays
from voiceapp.console.test_bench import views as test_bench
from voiceapp.core.api import docs
from voiceapp.management.doctor.report import report
from voiceapp.metrics import metrics

urlpatterns = [
    path("admin/sign-in", sign_in_by_link, name="sign-in-link"),
    path("admin/language", choose_language, name="choose-language"),
    path("admin/invitation", invitation_page, name="invitation"),
    path("admin/two-factor/", two_factor.two_factor, name="two-factor"),
    path("admin/two-factor/set-up", two_factor.set_up, name="two-factor-set-up"),
    path("admin/two-factor/leave", two_factor.leave, name="two-factor-leave"),
    path("admin/analytics/", admin.site.admin_view(analytics), name="analytics"),
    path("admin/setup/", admin.site.admin_view(setup.begin), name="setup"),
    path("admin/setup/<uuid:organization_id>/<slug:name>/", admin.site.admin_view(setup.step), name="setup-step"),
    path("admin/", admin.site.admin_view(first_page.index)),
    path("admin/first-page", admin.site.admin_view(first_page.go), name="first-page"),
    path("", include("voiceapp.console.order_board.urls")),
    path("", include("voiceapp.console.day_plan.urls")),
    path("admin/live/", admin.site.admin_view(live_calls.call_list), name="live-calls"),
    path("admin/live/feed", live_calls.list_feed, name="live-calls-feed"),
    path("admin/live/<uuid:call_id>/", admin.site.admin_view(live_calls.call_page), name="live-call"),
    path("admin/live/<uuid:call_id>/feed", live_calls.call_feed, name="live-call-feed"),
    path(
        "admin/live/<uuid:call_id>/listen-in-room/",
        admin.site.admin_view(live_calls.listen_in_room),
        name="live-call-listen",
    ),
    path("admin/live/<uuid:call_id>/leave-room/", admin.site.admin_view(live_calls.leave_room), name="live-call-leave"),
    path("admin/live/<uuid:call_id>/<slug:name>/", admin.site.admin_view(live_calls.act), name="live-call-act"),
    path("admin/bench/<int:agent_id>/", admin.site.admin_view(test_bench.bench), name="test-bench"),
    path("admin/bench/call/<uuid:call_id>/", admin.site.admin_view(test_bench.from_call), name="scenario-from-call"),
    path("admin/bench/call/<uuid:call_id>/replays/", admin.site.admin_view(replays.replays), name="call-replays"),
    path("admin/", admin.site.urls),
    path("call/<slug:organization>", call_page, name="call-page"),
    path("call/<slug:organization>/visitor", for_named_sites(VisitorTokenView.as_view()), name="visitor-token"),
    path("call/<slug:organization>/session", for_named_sites(CallPageSessionView.as_view()), name="call-page-session"),
    path(
        "call/<slug:organization>/calls/<slug:call_id>",
        for_named_sites(CallProgressView.as_view()),
        name="call-progress",
    ),
    path("call/<slug:organization>/realtime", for_named_sites(RealtimeCallView.as_view()), name="call-page-realtime"),
    path(
        "call/<slug:organization>/realtime/<slug:call_id>",
        for_named_sites(OfferView.as_view()),
        name="call-page-offer",
    ),
    path(
        "call/<slug:organization>/realtime/<slug:call_id>/again",
        for_named_sites(OfferAgainView.as_view()),
        name="call-page-offer-again",
    ),
    path(
        "call/<slug:organization>/realtime/<slug:call_id>/recording",
        for_named_sites(PageRecordingView.as_view()),
        name="call-page-recording",
    ),
    path("metrics", metrics, name="metrics"),
    path("health/report", report, name="health-report"),
    path("api/schema", docs.schema, name="api-schema"),
    path("api/docs", docs.page, name="api-docs"),
    path("", include("telephony.urls")),
    path("", include("recordings.urls")),
    path("", include("sessions.urls")),
]

handler400 = "voiceapp.error_pages.bad_request"
handler403 = "voiceapp.error_pages.forbidden"
handler404 = "voiceapp.error_pages.not_found"
handler500 = "voiceapp.error_pages.server_error"
