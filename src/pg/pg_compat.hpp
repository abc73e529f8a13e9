// The only file that knows Postgres versions. Included by pg/pg.hpp, after the server's headers.
#pragma once

#if PG_VERSION_NUM < 150000
#error "agent_queue needs PostgreSQL 15 or later"
#endif

#define PG16_GE (PG_VERSION_NUM >= 160000)
#define PG17_GE (PG_VERSION_NUM >= 170000)
#define PG18_GE (PG_VERSION_NUM >= 180000)

// A backend's place in ProcGlobal->allProcs: stable while it lives, and what shared memory may hold instead of
// pointers.
#if PG17_GE
#define AQ_MY_PROC_NUMBER MyProcNumber
#else
#define AQ_MY_PROC_NUMBER (MyProc->pgprocno)
#endif
#ifndef GetPGProcByNumber
#define GetPGProcByNumber(n) (&ProcGlobal->allProcs[(n)])
#endif

// A virtual transaction's backend is named by its place from 17 on.
#if PG17_GE
#define AQ_VXID_BACKEND(vxid) ((vxid).procNumber)
#else
#define AQ_VXID_BACKEND(vxid) ((vxid).backendId)
#endif

// WaitEventSets belong to resource owners from 17 on.
#if PG17_GE
#define AQ_CREATE_WAIT_EVENT_SET(nevents) CreateWaitEventSet(nullptr, (nevents))
#else
#define AQ_CREATE_WAIT_EVENT_SET(nevents) CreateWaitEventSet(TopMemoryContext, (nevents))
#endif

// Intervals can be infinite from 17 on.
#ifdef INTERVAL_NOT_FINITE
#define AQ_INTERVAL_IS_FINITE(interval) (!INTERVAL_NOT_FINITE(interval))
#else
#define AQ_INTERVAL_IS_FINITE(interval) true
#endif
