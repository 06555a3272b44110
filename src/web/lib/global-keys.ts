import { isTyping } from './keys.ts';

/** What a key asks of the page as a whole. */
export type GlobalAct = 'help' | 'palette' | 'theme' | 'time' | 'search' | 'tasks' | 'costs' | 'settings' | 'filter';

/** Single keys, and those after `g`. */
export const GLOBAL_ACTS: Readonly<Record<string, GlobalAct>> = {
  '?': 'help',
  t: 'theme',
  z: 'time',
  '/': 'filter',
  'g t': 'tasks',
  'g s': 'search',
  'g c': 'costs',
  'g ,': 'settings',
};

/** `g` waits this long for its second key. */
const WAIT_MS = 1_500;

/** Reads keys one by one: `g` and the next one belong together. */
export class GlobalKeys {
  #pendingUntilMs = 0;

  /** Undefined: the key is not for the page as a whole, or belongs to what is being typed. */
  read(event: KeyboardEvent): GlobalAct | undefined {
    const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (command && event.key.toLowerCase() === 'k') return isInDialog(event) ? undefined : 'palette';
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return undefined;
    // A shift that is pressed for `?` is no key of its own.
    if (event.key === 'Shift') return undefined;
    const isSecond = event.timeStamp < this.#pendingUntilMs;
    this.#pendingUntilMs = event.key === 'g' && !isSecond ? event.timeStamp + WAIT_MS : 0;
    return GLOBAL_ACTS[isSecond ? `g ${event.key}` : event.key];
  }
}

function isInDialog({ target }: KeyboardEvent): boolean {
  return target instanceof Element && target.closest('dialog') !== null;
}
