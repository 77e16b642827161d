/* Rooms that come with the next commits: faults, server-side apply, pods. */
#include "apply.h"
#include "api.h"
#include "control.h"
#include "delete.h"
#include "fault.h"
#include "server.h"
void dc_fault_arrived(dc_request *r) { dc_server_serve(r); }
void dc_fault_served(dc_request *r) { dc_server_answer(r); }
void dc_fault_answered(dc_request *r) { (void) r; }
void dc_fault_forget(dc_request *r) { (void) r; }
const struct dc_page *dc_fault_stale_list(const dc_request *r) { (void) r; return NULL; }
const dc_object *dc_fault_stale_object(const dc_request *r) { (void) r; return NULL; }
bool dc_fault_watch_text(dc_request *r, dsp_buf *out, uint64_t *lines) { (void) r; (void) out; (void) lines; return false; }
int dc_fault_watch_lag(const dc_request *r) { (void) r; return 0; }
void dc_control_serve(dc_request *r) { dc_answer_text(r, 404, "text/plain", DSP_STR("not yet\n")); dc_server_answer(r); }
void dc_apply(dc_request *r, cJSON *c) { (void) c; dc_fail_set(&r->fail, 415, "UnsupportedMediaType", "server-side apply comes soon"); }
