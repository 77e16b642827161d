/*
 * A fuzzer's main without libFuzzer: gives it each file that is named, and nothing else. As LLVM's StandaloneFuzzTargetMain.
 *
 *     replay FILE...        exit 2: a file cannot be read
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *in = fopen(argv[i], "rb");
        /* Of its own size, so that a sanitizer sees the first byte too many. */
        long     size = in != NULL && fseek(in, 0, SEEK_END) == 0 ? ftell(in) : -1;
        uint8_t *data = size >= 0 ? malloc(size > 0 ? (size_t)size : 1) : NULL;

        if (data == NULL || fseek(in, 0, SEEK_SET) != 0 || fread(data, 1, (size_t)size, in) != (size_t)size) {
            perror(argv[i]);
            return 2;
        }
        fclose(in);
        LLVMFuzzerTestOneInput(data, (size_t)size);
        free(data);
    }
    return 0;
}
