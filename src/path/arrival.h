/*
 * What the arrival of one packet says: about the path that it came by, and about the others.
 *
 * SUSPICION. A path on which data flows is silent for too long when three or more packets that were
 * sent after the newest that came by it have come by other paths, and it is later than
 *
 *     newest arrival       + 2 * expected gap + 4 * deviation, and
 *     third of them due    +                    4 * deviation
 *
 * where `due` is the packet's send time plus this path's own delay, and the deviation is that of the
 * gaps or the jitter, whichever is more, at least 1 ms. A path that stalls now and then without losing
 * anything is given the time of its longest such stall instead, which fades within two minutes. So a flow that ends or pauses raises no
 * suspicion, nor does a path that is slower than others, nor one or two lost packets. The receiver does not know which paths the
 * sender has chosen: where the sender has sent nothing it may ignore the suspicion.
 *
 * Three packets missing in a row are trouble too, at once (path/rx.h); more where the path reorders by
 * more.
 */
#ifndef HW_PATH_ARRIVAL_H
#define HW_PATH_ARRIVAL_H

#include <stdbool.h>

#include "base/time.h"

struct hw_path;
struct hw_path_table;
struct hw_path_stamp;

/*
 * A stamp of a packet that was opened, or of a copy of one: measures it (hw_path_rx_stamp) and looks at
 * all paths of the peer. Returns whether it was measured. *ret_trouble: some path has just got into
 * trouble, and the peer should hear it at once.
 */
bool hw_path_arrival(struct hw_path_table *table, struct hw_path *path,
		     const struct hw_path_stamp *stamp, bool *ret_trouble);

/* The peer's report of this path was taken in by hw_path_reported: what it says about slots. */
void hw_path_arrival_reported(struct hw_path_table *table, struct hw_path *path, hw_time now);

/* How long after its newest packet the path's silence is out of the ordinary, in ns. */
int64_t hw_path_patience_ns(const struct hw_path *path, hw_time now);

#endif
