"""Addresses of notifications in a client's portal."""

from typing import Final

from django.urls import path

from portal.ui import notice_channels, notices

NOTICES: Final = [
    path("", notices.notices, name="list"),
    path("read", notices.read, name="read"),
    path("rules", notices.rules, name="rules"),
    path("answer/<str:link>", notices.answer, name="answer"),
    path("channels/", notice_channels.channels, name="channels"),
    path("channels/new/", notice_channels.add, name="channel-add"),
    path("channels/<str:channel>/", notice_channels.channel, name="channel"),
    path("channels/<str:channel>/trial", notice_channels.trial, name="channel-trial"),
    path("channels/<str:channel>/switch", notice_channels.switch, name="channel-switch"),
    path("channels/<str:channel>/remove", notice_channels.remove, name="channel-remove"),
    path("<str:notice>/open", notices.open_one, name="open"),
]
