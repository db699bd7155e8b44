#!/usr/bin/env python3
"""stub"""
