/* The parts of the status table (status_table.h), each a block of lines. */
#ifndef HW_CLI_STATUS_PARTS_H
#define HW_CLI_STATUS_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* status_paths.c: one line a path; then, with all figures, delays, losses and sizes. */
void hw_status_print_paths(const json_t *paths, bool colour, FILE *out);
void hw_status_print_details(const json_t *paths, FILE *out);

/* status_joint.c: which paths fail together; with `all`, the whole matrix. */
void hw_status_print_joint(const json_t *peer, bool all, FILE *out);

/* status_links.c: what each link is used for, has carried and may carry. */
void hw_status_print_links(const json_t *links, bool all, bool colour, FILE *out);

#endif
