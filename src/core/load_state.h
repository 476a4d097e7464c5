/*
 * What the core remembers of load tests, for core/load.c (what is sent) and core/load_in.c (what
 * comes in). Made when the first frame of a test comes or the owner starts one, so that a node
 * that never tests has none of it.
 */
#ifndef HW_CORE_LOAD_STATE_H
#define HW_CORE_LOAD_STATE_H

#include "core/load.h"
#include "path/table.h"
#include "path/train.h"

enum hw_load_phase {
	HW_LOAD_IDLE,
	HW_LOAD_LEADING, /* packets ahead of the load */
	HW_LOAD_SENDING,
	HW_LOAD_ENDING   /* LOAD_DONE goes out until LOAD_RESULT comes */
};

/* A load that this node sends. */
struct hw_load_stream {
	enum hw_load_phase phase;
	uint32_t test;
	bool asked; /* by the peer */
	bool pings;
	bool metered; /* paid for out of that bucket */
	uint32_t size; /* UDP payload */
	hw_time gap;   /* between packets */
	hw_time duration;
	hw_time ends_at;
	hw_time next_at; /* the next packet, or LOAD_DONE */
	hw_time wake_at;
	hw_time first_at, last_at;
	uint32_t lead; /* packets of it still to send */
	uint32_t packets, bytes, bytes_max;
	uint32_t tries; /* of LOAD_DONE */
	enum hw_load_reason reason;
};

/* A load that this node has asked for. */
struct hw_load_question {
	bool open;
	struct hw_control_load frame;
	hw_time next_at;
	hw_time gives_up_at;
	uint32_t tries;
};

struct hw_load_path {
	struct hw_tuple tuple; /* another path may get the number */
	struct hw_load_stream stream;
	struct hw_load_question question;
	struct hw_load_outcome up, down; /* of the owner's */
	uint32_t up_test, down_test;
	bool measuring; /* `train` is of `measured` */
	uint32_t measured;
	struct hw_train train;
	uint32_t pong_us[HW_LOAD_PONGS];
};

/* Bytes that may still be sent for the peer; fills again within an hour. */
struct hw_load_bucket {
	uint64_t left;
	hw_time at;
};

struct hw_load {
	struct hw_load_path paths[HW_PATH_TABLE_PATHS];
	struct hw_load_bucket hour, metered_hour;
};

#endif
