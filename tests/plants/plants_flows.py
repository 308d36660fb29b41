"""Plants of the flows: what happens in the wrong order, in the wrong place, or to the wrong party."""

from __future__ import annotations

from tests.plants.planting import Plant

_COURIER = "croupier.flows.dispatcher"

_COMMITS = (
    Plant(
        "sent-before-the-commit",
        "a stake is sent before its bet is committed",
        "croupier.flows.provider_request",
        (
            (
                "        try:\n            if await hub.group_commit.commit(decision):",
                "        if hub.state.dispatcher is not None:\n            hub.state.dispatcher.committed(decision)\n"
                "        try:\n            if await hub.group_commit.commit(decision):",
            ),
        ),
        "I5",
    ),
    Plant(
        "answer-before-the-commit",
        "a decision is answered before it is committed",
        "croupier.flows.advance",
        (
            (
                "        written = await hub.group_commit.commit(ruling)\n        if written is not None:\n            return written",
                "        import asyncio\n\n"
                "        asyncio.ensure_future(hub.group_commit.commit(ruling))\n"
                "        return ruling",
            ),
        ),
        "I3 I6",
    ),
    Plant(
        "lost-race-taken-for-won",
        "a decision that lost its race is answered as if it had been written",
        "croupier.flows.advance",
        (
            (
                "        written = await hub.group_commit.commit(ruling)\n        if written is not None:\n            return written",
                "        await hub.group_commit.commit(ruling)\n        return ruling",
            ),
        ),
        "I3 I9",
    ),
    Plant(
        "answer-waits-for-its-balance",
        "a decided answer waits for its balance past the hold time, and the provider is told that the bet is unknown",
        "croupier.flows.balances",
        (("max(self._until_s - self._hub.clock.monotonic_s(), 0) + GRACE_S", "3600"),),
        "I6",
        test="tests/flows/test_balances.py::test_a_casino_that_does_not_tell_its_balance_costs_no_look_at_the_database_after_the_hold_time",
    ),
)

_SCOPE = (
    Plant(
        "accept-of-another-casino",
        "a casino's accept decides a payment of another casino",
        "croupier.flows.accept_payment",
        (("        if subject.casino_id != casino_id:", "        if False:"),),
        "I14",
    ),
    Plant(
        "session-scope-forgotten",
        "a provider bets in a session of another provider",
        "croupier.flows.provider_request",
        (
            (
                "    if session is None or provider is None or session.provider_id != command.provider_id:",
                "    if session is None or provider is None:",
            ),
        ),
        "I14",
    ),
    Plant(
        "payout-to-the-wrong-player",
        "every win goes to the first player of the casino",
        _COURIER,
        (
            (
                "        player_ref=subject.player_ref,\n        amount=payment.amount,",
                '        player_ref=subject.player_ref if kind is PaymentKind.STAKE else "player0",\n'
                "        amount=payment.amount,",
            ),
        ),
        "I2 I4",
    ),
    Plant(
        "retry-with-a-new-id",
        "a payment that is sent again carries another BetId",
        _COURIER,
        (
            (
                "        subject_id=subject.subject_id,\n        kind=kind,",
                "        subject_id=subject.subject_id + getattr(subject.calls.get(kind.value), 'failures', 0),\n"
                "        kind=kind,",
            ),
        ),
        "I5",
    ),
    Plant(
        "retry-with-other-bytes",
        "a payment that is sent again is not the same payment to the last byte",
        _COURIER,
        (
            (
                "        tag_id=subject.tag_id,",
                "        tag_id=getattr(subject.calls.get(kind.value), 'failures', None) or subject.tag_id,",
            ),
        ),
        "I5",
    ),
)

_CALLS = (
    Plant(
        "lease-fence-ignored",
        "what comes back under an old lease is taken in",
        _COURIER,
        (("return call is not None and call.fence == leased_call.fence", "return call is not None"),),
        "I10",
    ),
    Plant(
        "list-receipt-read-as-outcome",
        "the receipt of a list is taken for the acceptance of each of its payments",
        _COURIER,
        (
            (
                "        if isinstance(reading, Received):\n            queue.lists_failed = 0",
                "        if isinstance(reading, Received):\n"
                "            from croupier.core.money import format_amount\n"
                "            from croupier.core.readings import Contents, Yes\n\n"
                "            for leased_call, o in part:\n"
                "                amount = format_amount(o.amount, o.currency)\n"
                "                tax = None if o.tax is None else format_amount(o.tax, o.currency)\n"
                "                said = Yes(Contents(o.subject_id, o.player_ref, o.kind, amount, tax, 'list'))\n"
                "                await self._apply_answer(leased_call, Step.MAKE, said, asked_ms=0)\n"
                "            return\n"
                "        if isinstance(reading, Received):\n            queue.lists_failed = 0",
            ),
        ),
        "I2 I6",
    ),
    Plant(
        "batch-element-lost",
        "the last payment of a list is never sent, and counts as received",
        _COURIER,
        (
            (
                "        orders = [order for _, order in part]\n",
                "        (lost, _), part = part[-1], part[:-1]\n"
                "        orders = [order for _, order in part]\n\n"
                "        def lose(subject: Any, terms: Terms) -> Decision[Any]:\n"
                "            draft: Draft[Any] = Draft(subject, terms)\n"
                "            draft.call_later(lost.slot, Step.MAKE, terms.now_ms + 30 * 86_400_000, acked=True)\n"
                '            return draft.finish("lost")\n\n'
                "        await advance(self._hub, self._reader(lost), lose)\n",
            ),
        ),
        "I4",
    ),
    Plant(
        "batch-amounts-mixed-up",
        "every payment of a list carries the amount of the first",
        _COURIER,
        (
            (
                "        orders = [order for _, order in part]\n",
                "        from dataclasses import replace\n\n"
                "        orders = [replace(order, amount=part[0][1].amount) for _, order in part]\n",
            ),
        ),
        "I2 I5",
    ),
    Plant(
        "close-reopens",
        "the close of a bet and its reopening are mixed up",
        _COURIER,
        (
            (
                "g.close(casino, leased_call.subject_id, step is Step.CLOSE, before_ms=before_ms)",
                "g.close(casino, leased_call.subject_id, step is Step.REOPEN, before_ms=before_ms)",
            ),
        ),
        "I4",
    ),
)

_REQUESTS = (
    Plant(
        "tombstone-skipped",
        "a refund that comes before its bet is answered yes and leaves no trace",
        "croupier.flows.refund",
        (
            (
                "        bet = await commit_new_bet(hub, born, bet_requests.open_tombstone)",
                "        return Answer(None)",
            ),
        ),
        "I3 I8",
    ),
    Plant(
        "hold-time-doubled",
        "a provider waits twice its hold time",
        "croupier.flows.provider_request",
        (("    until_s = arrived + provider.hold_s", "    until_s = arrived + 2 * provider.hold_s"),),
        "I16",
    ),
    Plant(
        "cashback-twice-for-a-ref",
        "the same ref pays a second cashback",
        "croupier.flows.cashback",
        (
            (
                "        draft = Draft(row, await terms_of(hub, row), new=True)",
                "        from dataclasses import replace\n\n"
                '        row = replace(row, ref=f"{row.ref}-{row.cashback_id}")\n'
                "        draft = Draft(row, await terms_of(hub, row), new=True)",
            ),
        ),
        "I5 I9",
    ),
    Plant(
        "cashback-of-other-contents",
        "a ref with another amount gets the first cashback for an answer",
        "croupier.flows.cashback",
        (("    if not same:", "    if first.currency != row.currency:"),),
        "I9",
    ),
    Plant(
        "cancelled-again",
        "a cashback that was taken back is cancelled once more",
        "croupier.flows.cashback",
        (
            (
                '        if row.state.value not in ("owed", "paid"):\n            return None',
                '        if row.state.value == "cancel_wanted":\n            return None',
            ),
        ),
        "I9",
    ),
    Plant(
        "memory-answers-without-proof",
        "a request is answered from the bet that this process committed, though another has changed it since",
        "croupier.flows.provider_request",
        (("            if unproven and not isinstance(ruling, Decision):", "            if False:"),),
        "I9",
    ),
    Plant(
        "accept-from-memory-without-proof",
        "an accept that changes nothing in the bet of memory is answered without a look at the bet that is stored",
        "croupier.flows.advance",
        (
            (
                "        if isinstance(ruling, Decision):\n            return ruling\n    for",
                "        if not isinstance(ruling, RaceLost):\n            return ruling\n    for",
            ),
        ),
        "I2",
    ),
    Plant(
        "repeat-told-another-balance",
        "a repeat is told the balance of now instead of that of the first answer",
        "croupier.flows.balances",
        (
            (
                "                balance = await self._hub.store.balances.keep(bet.bet_id, verb, balance)",
                "                await self._hub.store.balances.keep(bet.bet_id, verb, balance)",
            ),
            (
                "        return told.amount\n",
                "        known = await self._known(bet)\n"
                "        return told.amount if known is None else known.amount + known.ahead\n",
            ),
            (
                "        if stored is not None:\n            return evolve(told, balance=stored)\n",
                "",
            ),
        ),
        "I9",
    ),
)

_WIRE = (
    Plant(
        "recovery-of-one-ends-all",
        "all casinos take new bets again when one is reconciled",
        "croupier.flows.hub",
        (
            (
                "        return self.state.recovery is not None and self.state.recovery.holds(casino_id)",
                "        return self.state.recovery is not None and not self.state.recovery.done_casinos",
            ),
        ),
        "I9",
    ),
    Plant(
        "unasked-bytes-read",
        "what a casino says while nothing is asked is the answer to the next call",
        "croupier.kit.connection",
        (
            (
                "        if answer is None or answer.whole:\n            self.unsolicited = True\n            self.drop()\n",
                "        if answer is None or answer.whole:\n            self.kept = data\n",
            ),
            (
                "        self._transport.write(request)\n",
                "        self._transport.write(request)\n"
                '        asyncio.get_running_loop().call_soon(answer.feed, getattr(self, "kept", b""))\n',
            ),
        ),
        "I6",
    ),
    Plant(
        "connection-shared-by-casinos",
        "two casinos at one address share a connection",
        "croupier.kit.http",
        (("self._peers.setdefault(request.peer or origin,", "self._peers.setdefault(origin,"),),
        "I6",
    ),
    Plant(
        "poller-counts-down-the-wrong-casino",
        "a call that ended frees the place of another casino",
        "croupier.flows.poller",
        (("        self._busy[bulkhead] -= 1\n", "        self._busy[(0, bulkhead[1])] -= 1\n"),),
        "I4",
    ),
    Plant(
        "what-was-not-asked-is-unanswered",
        "a call that never left counts as one that the casino did not answer",
        _COURIER,
        (("        if isinstance(reading, Unknown) and reading.ours:\n", "        if reading is None:\n"),),
        "I10",
    ),
)

FLOWS = (*_WIRE, *_COMMITS, *_SCOPE, *_CALLS, *_REQUESTS)
