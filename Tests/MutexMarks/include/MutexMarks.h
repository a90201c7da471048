// Nothing to call: whoever links this target has its marks.
#ifndef MUTEX_MARKS_H
#define MUTEX_MARKS_H
#endif
