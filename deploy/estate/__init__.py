"""The simulated estate: a shop that sends signed webhooks and an ERP that books orders, both misbehaving on demand.

A real HTTP server with nothing of the portal in it: the demo talks to it and the tests count what reached it.

ERP (`Authorization: Bearer <key>`; `Idempotency-Key` honoured: a repeat gets the saved answer, another body 422):
    POST /erp/orders                       201 with the posting `reference`; 422, 409 as problem+json with `fields`
    GET  /erp/orders/{number}              what is booked
    POST /erp/orders/{number}/reserve      reserves stock; 409 where there is not enough
    POST /erp/orders/{number}/cancel       gives it back
    GET  /erp/stock/{sku}
An order: `number`, `customer {name, email}`, `shipping_address {name, street, city, region, postcode, country}`,
`currency`, `lines [{sku, quantity, unit_minor}]`, `shipping_minor`, `total_minor`; amounts in minor units.

Shop:  GET /shop/orders/{id}.json          an order that a feed has sent
Stub:  any method on /stub/…               200 after the set latency, for benchmarks; counts its keys as well
Control (JSON; loopback only unless told otherwise):
    GET  /control/state                    what was asked, answered, done; `?keys=1` adds the effects by key
    PUT  or POST /control/faults           replaces the rules (see faults.py)
    POST /control/reset                    forgets everything; may set `latency_ms`, `honour_keys`, `seed`
    POST /control/stock                    `{sku: on_hand}`
    POST /control/shop/feed                starts a feed (see feed.py); DELETE ends all feeds
"""
