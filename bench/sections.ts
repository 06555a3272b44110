import type { Section } from './section.ts';
import { calls } from './sections/calls.ts';
import { capture } from './sections/capture.ts';
import { directory } from './sections/directory.ts';
import { embedded } from './sections/embedded.ts';
import { eventLoop } from './sections/event-loop.ts';
import { http } from './sections/http.ts';
import { live } from './sections/live.ts';
import { masking } from './sections/masking.ts';
import { memory } from './sections/memory.ts';
import { reading } from './sections/reading.ts';
import { redis } from './sections/redis.ts';
import { search } from './sections/search.ts';
import { size } from './sections/size.ts';
import { tasks } from './sections/tasks.ts';
import { viewer } from './sections/viewer.ts';

/** In the order in which they run, and stand in the document. */
export const SECTIONS: readonly Section[] = [
  calls,
  embedded,
  http,
  masking,
  directory,
  redis,
  eventLoop,
  capture,
  live,
  memory,
  reading,
  tasks,
  search,
  size,
  viewer,
];
