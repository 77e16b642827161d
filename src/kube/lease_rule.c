#include "lease_rule.h"

#include <string.h>

/* client-go: JitterFactor. A candidate waits 1 to 2.2 times the retry period. */
#define JITTER 1.2

bool kube_lease_leads(const kube_lease_rule *l, int64_t now)
{
    return l->leading && now < l->renewed_at + l->renew_ms;
}

static void wait_retry(kube_lease_rule *l, int64_t now, uint32_t jitter)
{
    double share = l->leading ? 0 : JITTER * (jitter / 4294967296.0);

    l->state = KUBE_LEASE_WAITING;
    l->next_at = now + l->retry_ms + (int64_t) ((double) l->retry_ms * share);
}

static void send_get(kube_lease_rule *l, int64_t now, kube_lease_output *out)
{
    l->state = KUBE_LEASE_READING;
    l->sent_at = now;
    out->send = KUBE_LEASE_SEND_GET;
}

static void send_spec(kube_lease_rule *l, enum kube_lease_send send, int64_t now, kube_lease_output *out)
{
    bool ours = strcmp(l->record.holder, l->identity) == 0;

    l->state = send == KUBE_LEASE_SEND_POST ? KUBE_LEASE_CREATING : KUBE_LEASE_WRITING;
    l->sent_at = now;
    out->send = send;
    out->holder = l->identity;
    out->duration_ms = l->duration_ms;
    out->acquired = send == KUBE_LEASE_SEND_PUT && ours && l->record.acquired[0] != '\0' ? l->record.acquired : NULL;
    out->transitions = send == KUBE_LEASE_SEND_POST ? 0 : l->record.transitions + !ours;
}

static void send_release(kube_lease_rule *l, int64_t now, kube_lease_output *out)
{
    l->state = KUBE_LEASE_RELEASING;
    l->release_tries++;
    l->sent_at = now;
    out->send = KUBE_LEASE_SEND_PUT;
    out->holder = "";
    out->duration_ms = 1000;
    out->acquired = NULL;
    out->transitions = l->record.transitions;
}

static void finish(kube_lease_rule *l, kube_lease_output *out)
{
    l->state = KUBE_LEASE_OVER;
    out->over = true;
}

static void observe(kube_lease_rule *l, const kube_lease_record *record, int64_t now)
{
    if (strcmp(l->record.version, record->version) != 0 || strcmp(l->record.holder, record->holder) != 0 ||
        strcmp(l->record.renewed, record->renewed) != 0) {
        l->changed_at = now;
    }
    l->record = *record;
}

static void lose(kube_lease_rule *l, kube_lease_output *out)
{
    l->leading = false;
    out->stopped = true;
    finish(l, out);
}

/* The answer of a GET: take it, renew it, or wait. */
static void evaluate(kube_lease_rule *l, int64_t now, uint32_t jitter, kube_lease_output *out)
{
    bool ours = strcmp(l->record.holder, l->identity) == 0;
    bool free_ = l->record.holder[0] == '\0' || now >= l->changed_at + l->record.duration_ms;

    if (l->releasing) {
        if (ours) {
            send_release(l, now, out);
        } else {
            finish(l, out);
        }
    } else if (l->leading && !ours) {
        lose(l, out); /* somebody took it: we must have been away for long */
    } else if (ours || free_) {
        send_spec(l, KUBE_LEASE_SEND_PUT, now, out);
    } else {
        wait_retry(l, now, jitter);
    }
}

/* POST or PUT was stored. */
static void stored(kube_lease_rule *l, int64_t now, uint32_t jitter, kube_lease_output *out)
{
    if (l->state == KUBE_LEASE_RELEASING) {
        finish(l, out);
        return;
    }
    l->renewed_at = l->sent_at;
    l->read_first = false;
    if (!l->leading && now < l->renewed_at + l->renew_ms) {
        l->leading = true;
        out->started = true;
    }
    wait_retry(l, now, jitter);
}

/* POST or PUT was not stored, or nobody knows. */
static void not_stored(kube_lease_rule *l, int64_t now, uint32_t jitter, kube_lease_output *out)
{
    if (l->state == KUBE_LEASE_RELEASING && l->release_tries > 1) {
        finish(l, out);
    } else if (l->state == KUBE_LEASE_RELEASING || l->leading) {
        send_get(l, now, out); /* at once: the time to the end of the lease is short */
    } else {
        l->read_first = true;
        wait_retry(l, now, jitter);
    }
}

static void answer(kube_lease_rule *l, enum kube_lease_input input, const kube_lease_record *record, int64_t now,
                   uint32_t jitter, kube_lease_output *out)
{
    bool reading = l->state == KUBE_LEASE_READING;

    if (input == KUBE_LEASE_FOUND) {
        observe(l, record, now);
        if (reading) {
            evaluate(l, now, jitter, out);
        } else {
            stored(l, now, jitter, out);
        }
    } else if (!reading) {
        not_stored(l, now, jitter, out);
    } else if (l->releasing) {
        finish(l, out);
    } else if (input == KUBE_LEASE_MISSING) {
        memset(&l->record, 0, sizeof(l->record));
        send_spec(l, KUBE_LEASE_SEND_POST, now, out);
    } else {
        l->read_first = true;
        wait_retry(l, now, jitter);
    }
}

static void tick(kube_lease_rule *l, int64_t now, kube_lease_output *out)
{
    if (l->state != KUBE_LEASE_WAITING || now < l->next_at) {
        return;
    }
    if (l->leading && !l->read_first) {
        send_spec(l, KUBE_LEASE_SEND_PUT, now, out); /* client-go: with what we know, which is right nearly always */
    } else {
        send_get(l, now, out);
    }
}

static void release(kube_lease_rule *l, int64_t now, kube_lease_output *out)
{
    bool led = l->leading;

    l->releasing = true;
    l->leading = false;
    out->stopped = led;
    if (l->state == KUBE_LEASE_OVER) {
        return;
    }
    if (l->state == KUBE_LEASE_WAITING) {
        if (led) {
            send_release(l, now, out);
        } else {
            finish(l, out);
        }
    }
    /* Else a request is in flight and its answer decides. */
}

kube_lease_output kube_lease_step(kube_lease_rule *l, enum kube_lease_input input, const kube_lease_record *record,
                                  int64_t now, uint32_t jitter)
{
    kube_lease_output out = { 0 };

    if (l->state != KUBE_LEASE_OVER && l->leading && !kube_lease_leads(l, now) && input != KUBE_LEASE_RELEASE) {
        lose(l, &out);
    } else if (input == KUBE_LEASE_RELEASE) {
        release(l, now, &out);
    } else if (input == KUBE_LEASE_TICK) {
        tick(l, now, &out);
    } else if (l->state != KUBE_LEASE_OVER && l->state != KUBE_LEASE_WAITING) {
        answer(l, input, record, now, jitter, &out);
        if (l->releasing && l->state == KUBE_LEASE_WAITING) {
            /* A renewal that was in flight when the release was asked for. */
            l->leading = false;
            out.started = false;
            if (strcmp(l->record.holder, l->identity) == 0) {
                send_release(l, now, &out);
            } else {
                finish(l, &out);
            }
        }
    }
    out.wait_until = l->leading && l->renewed_at + l->renew_ms < l->next_at ? l->renewed_at + l->renew_ms : l->next_at;
    if (l->state != KUBE_LEASE_WAITING) {
        out.wait_until = l->leading ? l->renewed_at + l->renew_ms : INT64_MAX;
    }
    return out;
}
