/* Why nothing comes back: over the loopback interface, where the kernel itself says it. */
#include "test.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/reach.h"

static struct hw_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct hw_addr){.ip = {a, b, c, d}, .port = port, .family = HW_FAMILY_IPV4};
}

/* A socket of the kernel's choice; closed again, nothing listens on its port. */
static uint16_t port_of(int *ret_fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);

	*ret_fd = socket(AF_INET, SOCK_DGRAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static void a_closed_port_refuses_and_an_open_one_is_silent(void **state)
{
	const struct hw_udp_config link = {0};
	struct hw_addr remote;
	int fd;
	uint16_t port = port_of(&fd);
	hw_time began = hw_clock_now();

	(void)state;
	remote = v4(127, 0, 0, 1, port);
	assert_int_equal(hw_reach_ask(&link, &remote, 100), HW_REACH_SILENT);
	assert_true(hw_time_since(hw_clock_now(), began) >= HW_MS(100));
	close(fd);
	assert_int_equal(hw_reach_ask(&link, &remote, 5000), HW_REACH_REFUSED);
}

/* What is heard is not the peer: it changes nothing. */
static void an_answer_is_no_error(void **state)
{
	const struct hw_udp_config link = {0};
	struct hw_addr remote;
	int fd;

	(void)state;
	remote = v4(127, 0, 0, 1, port_of(&fd));

	pid_t child = fork();

	if (child == 0) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		char byte;

		if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len) == 1)
			(void)!sendto(fd, "!", 1, 0, (struct sockaddr *)&from, len);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(hw_reach_ask(&link, &remote, 300), HW_REACH_SILENT);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(fd);
}

static void links_that_cannot_say_so(void **state)
{
	struct hw_udp_config link = {.interface = "nosuchdevice"};
	struct hw_addr remote = v4(127, 0, 0, 1, 9);

	(void)state;
	assert_true(hw_reach_ask(&link, &remote, 50) != HW_REACH_SILENT);
	link.interface[0] = '\0';
	link.local = v4(192, 0, 2, 77, 0); /* not ours */
	assert_int_equal(hw_reach_ask(&link, &remote, 50), HW_REACH_NO_ADDRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_closed_port_refuses_and_an_open_one_is_silent),
		cmocka_unit_test(an_answer_is_no_error),
		cmocka_unit_test(links_that_cannot_say_so),
	};

	return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}
