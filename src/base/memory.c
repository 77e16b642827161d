#include "memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that are not writable hold nothing but the file's bytes, so dropping their pages loses nothing. */
static int drop_pages(struct dl_phdr_info *object, size_t size, void *context)
{
    uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

    (void) size;
    (void) context;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) == 0) {
            uintptr_t from = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
            uintptr_t to = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;

            madvise((void *) from, to - from, MADV_DONTNEED);
        }
    }
    return 0;
}

void dsp_memory_give_back(void)
{
    malloc_trim(0);
    dl_iterate_phdr(drop_pages, NULL);
}
