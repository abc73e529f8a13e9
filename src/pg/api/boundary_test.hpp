// The day-one tests of the boundary (pg/boundary): every kind of exception through both doors, whole errors,
// destructors counted, ten thousand times without growth. Always in the library, but no SQL of the extension reaches
// it: test/support/boundary_functions.sql makes the functions. Tested by sql/boundary.sql and test/tap.
#pragma once

namespace agent_queue::pg {

// Throws, raises and catches each kind ten thousand times, through guard and through entry. Raises XX000 when an object
// was not destroyed, an error arrived incomplete, or memory grew. Needs no transaction.
void boundary_self_test();

}  // namespace agent_queue::pg
