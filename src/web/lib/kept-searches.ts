import { keep, recall } from './keep.ts';

const RECENT_KEY = 'tasktrail.searches';
const SAVED_KEY = 'tasktrail.saved-searches';
const RECENT = 10;
const SAVED = 50;
const NAME_CHARS = 60;

/** A search that the reader gave a name; `query` is what stands in its address. */
export interface SavedSearch {
  readonly name: string;
  readonly query: string;
}

/** What was searched for last in this browser, the newest first. */
export function recentSearches(): readonly string[] {
  return listAt(RECENT_KEY)
    .filter((text) => typeof text === 'string')
    .slice(0, RECENT);
}

export function keepSearch(q: string): void {
  keep(RECENT_KEY, JSON.stringify([q, ...recentSearches().filter((text) => text !== q)].slice(0, RECENT)));
}

export function forgetSearches(): void {
  keep(RECENT_KEY, '[]');
}

/** In the order of their names. */
export function savedSearches(): readonly SavedSearch[] {
  return listAt(SAVED_KEY).filter(isSaved).slice(0, SAVED);
}

/** A name stands for one search; the same name again replaces it. */
export function saveSearch({ name, query }: SavedSearch): void {
  const named = { name: name.trim().slice(0, NAME_CHARS), query };
  const others = savedSearches().filter((search) => search.name !== named.name);
  const all = [...others.slice(0, SAVED - 1), named].sort((a, b) => a.name.localeCompare(b.name, 'en'));
  keep(SAVED_KEY, JSON.stringify(all));
}

export function dropSearch(name: string): void {
  keep(SAVED_KEY, JSON.stringify(savedSearches().filter((search) => search.name !== name)));
}

function listAt(key: string): readonly unknown[] {
  try {
    const held: unknown = JSON.parse(recall(key) ?? '[]');
    return Array.isArray(held) ? held : [];
  } catch {
    return [];
  }
}

function isSaved(held: unknown): held is SavedSearch {
  if (typeof held !== 'object' || held === null) return false;
  const { name, query } = held as Partial<Record<string, unknown>>;
  return typeof name === 'string' && name !== '' && typeof query === 'string';
}
