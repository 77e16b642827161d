/*
 * A model check: the store, the queue, the decision and the actions against a server in memory, through every order of
 * what can happen, to a fixed depth, and then through long random walks.
 *
 * What can happen at a step: a request is carried out and answered, or carried out and answered later or never, or lost,
 * or refused; the watch of one kind delivers its next event (late as it likes); the Job starts, ends, is deleted by
 * somebody; the template goes and comes back; time passes; the controller dies and starts again, while its last
 * requests may still be carried out after its death.
 *
 * What must hold at every step: one JobExecution never has a second Job, and none is made once it is known to be
 * deleted; a recorded end and a recorded Job never change. And when everything calms down: the end that the Job came to is on the JobExecution, and nothing is left to
 * do.
 */
#include "controller_model_steps.h"

#include "base/log.h"

/* --- calm: everything that is under way comes to its end ------------------------------------------------------ */

/* The garbage collector: a Job goes with its JobExecution. */
static void collect_garbage(void)
{
    if (!w.je_exists && w.job_exists) {
        w.job_exists = false;
        log_change(DSP_KIND_JOB, true);
    }
}

static void calm_down(void)
{
    static const enum step order[] = { STEP_ANSWER, STEP_WATCH_TEMPLATES, STEP_WATCH_EXECUTIONS, STEP_WATCH_JOBS,
                                       STEP_TIME };

    if (!w.template_exists) {
        do_step(STEP_TEMPLATE_COMES);
    }
    for (int quiet = 0, n = 0; quiet < 1; n++) {
        bool did = false;

        for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && !did; i++) {
            if (possible(order[i])) {
                do_step(order[i]);
                did = true;
            }
        }
        if (!did && w.job_exists && w.phase <= PHASE_STARTED && w.je_exists) {
            do_step(w.phase == PHASE_NEW ? STEP_JOB_STARTS : STEP_JOB_ENDS);
            did = true;
        }
        if (!did && possible(STEP_TTL)) {
            do_step(STEP_TTL);
            did = true;
        }
        if (!did) {
            collect_garbage();
            did = possible(STEP_WATCH_JOBS);
        }
        quiet += !did;
        if (n > 150) {
            fail_world("it does not calm down");
        }
    }
}

static void check_calm(void)
{
    if (!w.touched && w.job_n != 1) {
        fail_world("no Job");
    }
    if (!w.je_exists) {
        if (store.by_uid.len > 0) {
            fail_world("a record of what is gone");
        }
        return;
    }
    if (w.final_condition[0] == '\0') {
        fail_world("no end");
    }
    if (!w.touched) {
        const char *want = w.phase == PHASE_COMPLETE ? "JobSucceeded" : "BackoffLimitExceeded";

        if (strstr(w.final_condition, want) == NULL) {
            fail_world("the wrong end");
        }
        if (with_ttl) {
            fail_world("a JobExecution that outlives its Job's TTL");
        }
    }
    dsp_execution *e = dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("je"));
    if (e == NULL || e->live != NULL) {
        fail_world("something is left to do");
    }
}

static void finish_world(void)
{
    calm_down();
    check_calm();
    kill_controller();
    dsp_arena_reset(&arena);
}

/* --- every order ---------------------------------------------------------------------------------------------- */

/* How often each may happen in one run; what is not listed, as often as it can. */
static const unsigned budget[STEPS] = {
    [STEP_NO_ANSWER] = 1,     [STEP_LOST] = 1,           [STEP_LATER] = 1,       [STEP_CARRIED_OUT] = 1,
    [STEP_CRASH] = 1,         [STEP_RELIST] = 1,         [STEP_USER_DELETES_JOB] = 1,
    [STEP_TEMPLATE_GOES] = 1, [STEP_TEMPLATE_COMES] = 1, [STEP_JE_DELETED] = 1,
    [STEP_TIME] = 3,          [STEP_JOB_FAILS] = 1
};

static bool allowed(enum step s)
{
    unsigned n = 0;

    for (size_t i = 0; i < n_trace; i++) {
        n += trace[i] == s;
    }
    return budget[s] == 0 || n < budget[s];
}

static void replay(const enum step *steps, size_t n)
{
    begin_world();
    for (size_t i = 0; i < n; i++) {
        do_step(steps[i]);
    }
}

static size_t explore(size_t depth)
{
    enum step path[32];
    size_t    runs = 0, n = 0;
    bool      tried[33][STEPS];

    memset(tried, 0, sizeof(tried));
    for (;;) {
        enum step next = STEPS;

        replay(path, n);
        if (n < depth) {
            for (int s = 0; s < STEPS; s++) {
                if (!tried[n][s] && possible((enum step) s) && allowed((enum step) s)) {
                    next = (enum step) s;
                    break;
                }
            }
        }
        finish_world(); /* every beginning must end well */
        runs++;
        if (next != STEPS) {
            tried[n][next] = true;
            path[n++] = next;
            memset(tried[n], 0, sizeof(tried[n]));
            continue;
        }
        if (n == 0) {
            return runs;
        }
        n--;
    }
}

/* One random walk: long, with all kinds of trouble. */
static void walk(unsigned seed, size_t length)
{
    begin_world();
    for (size_t i = 0; i < length && w.n_log < LOG_MAX - 20; i++) {
        enum step choices[STEPS];
        size_t    n = 0;

        for (int s = 0; s < STEPS; s++) {
            if (possible((enum step) s) &&
                (budget[s] == 0 || allowed((enum step) s) || (s != STEP_USER_DELETES_JOB && s != STEP_JE_DELETED))) {
                choices[n++] = (enum step) s;
            }
        }
        seed = seed * 1664525u + 1013904223u;
        do_step(choices[(seed >> 16) % n]);
    }
    finish_world();
}

static int setup(void **state)
{
    (void) state;
    renderer = dsp_job_renderer_new(NULL);
    dsp_arena_init(&arena, 1 << 20);
    dsp_log_setup(DSP_LOG_ERROR, DSP_LOG_TEXT);
    return renderer == NULL;
}

static int teardown(void **state)
{
    (void) state;
    dsp_job_renderer_free(renderer);
    dsp_arena_free(&arena);
    return 0;
}

static void every_order(void **state)
{
    const char *depth = getenv("DEPTH");

    (void) state;
    for (int ttl = 0; ttl < 2; ttl++) {
        with_ttl = ttl;
        size_t runs = explore(depth != NULL ? (size_t) atoi(depth) : 4);
        print_message("%zu runs\n", runs);
        assert_true(runs > 1000);
    }
}

static void random_walks(void **state)
{
    const char *walks = getenv("WALKS");
    unsigned    n = walks != NULL ? (unsigned) atoi(walks) : 5000;

    (void) state;
    for (unsigned i = 0; i < n; i++) {
        with_ttl = i & 1;
        walk(i, 8 + i % 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_order, setup, teardown),
        cmocka_unit_test_setup_teardown(random_walks, setup, teardown),
    };

    return cmocka_run_group_tests_name("controller_model", tests, NULL, NULL);
}
