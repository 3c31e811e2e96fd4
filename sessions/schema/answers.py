"""Answers that several endpoints give."""

from __future__ import annotations

from rest_framework import serializers


class Done(serializers.Serializer[object]):
    success = serializers.BooleanField()
    message = serializers.CharField()
