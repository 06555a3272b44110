import { readBase, readRoute, taskPath } from '../lib/route.ts';

/** Where the reader is. The address is the only copy of it: a link, a reload and "back" lead to the same view. */
export class Router {
  readonly base = readBase(document.querySelector('meta[name="tasktrail-base"]')?.getAttribute('content'));
  #url = $state.raw(new URL(window.location.href));
  readonly route = $derived(readRoute(this.#url.pathname, this.base));
  readonly params = $derived(this.#url.searchParams);
  /** With its `#`; empty when there is none. */
  readonly hash = $derived(this.#url.hash);

  constructor() {
    window.addEventListener('popstate', this.#read);
  }

  taskPath(taskId: string): string {
    return taskPath(this.base, taskId);
  }

  go(path: string): void {
    window.history.pushState(null, '', path);
    this.#read();
    window.scrollTo(0, 0);
  }

  /** Change the query of the address. `replace` for what changes while typing, so that "back" leaves the screen at once. */
  setParams(params: URLSearchParams, how: 'push' | 'replace'): void {
    const query = params.size > 0 ? `?${params}` : '';
    if (query === this.#url.search) return;
    const path = this.#url.pathname + query + this.#url.hash;
    if (how === 'push') window.history.pushState(null, '', path);
    else window.history.replaceState(window.history.state, '', path);
    this.#read();
  }

  /** For links: a plain click stays in the page, anything else (new tab, download) is the browser's. */
  readonly onClick = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (
      link === null ||
      event.defaultPrevented ||
      event.button !== 0 ||
      link.target !== '' ||
      link.hasAttribute('download')
    )
      return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.origin !== window.location.origin) return;
    // Within one view the browser goes there itself, as to a heading.
    const { pathname, search } = window.location;
    if (link.hash !== '' && link.pathname === pathname && link.search === search) return;
    if (readRoute(link.pathname, this.base).screen === 'missing') return;
    event.preventDefault();
    this.go(link.pathname + link.search + link.hash);
  };

  close(): void {
    window.removeEventListener('popstate', this.#read);
  }

  readonly #read = (): void => {
    this.#url = new URL(window.location.href);
  };
}
