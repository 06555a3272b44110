import type { Section } from './section.ts';
import { calls } from './sections/calls.ts';
import { directory } from './sections/directory.ts';
import { embedded } from './sections/embedded.ts';
import { http } from './sections/http.ts';
import { masking } from './sections/masking.ts';

/** In the order in which they run, and stand in the document. */
export const SECTIONS: readonly Section[] = [calls, embedded, http, masking, directory];
