"""Tells others what happened: signed POSTs from a durable outbox, at least once, in order per message.

target      where to, with which secret
signature   Standard Webhooks: HMAC-SHA256 over id, time and body
payload     an outbox row -> the body and the headers
addresses   which IP addresses a target may have (against requests forged into the LAN)
sender      one POST over aiohttp: pinned addresses, no redirects, little patience
schedule    when a failed delivery is tried again
dispatcher  one lane per target, so that a slow one delays nobody else

The rows of the outbox are made in the transaction of the change that they speak of, so nothing is announced that was
not committed, and nothing committed stays unannounced.
"""
