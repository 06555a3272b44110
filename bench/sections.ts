import type { Section } from './section.ts';
import { calls } from './sections/calls.ts';
import { embedded } from './sections/embedded.ts';
import { http } from './sections/http.ts';

/** In the order in which they run, and stand in the document. */
export const SECTIONS: readonly Section[] = [calls, embedded, http];
