#include "global.h"

#include <curl/curl.h>

void dsp_kube_global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void dsp_kube_global_cleanup(void)
{
    curl_global_cleanup();
}
