/* What every cmocka test file includes, in the order cmocka wants it. */
#ifndef HW_TESTS_UNIT_TEST_H
#define HW_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
