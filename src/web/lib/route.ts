/** The screens of the page, and what each needs from the address. */
export type Route =
  | { readonly screen: 'tasks' }
  | { readonly screen: 'task'; readonly taskId: string }
  | { readonly screen: 'search' }
  | { readonly screen: 'costs' }
  | { readonly screen: 'settings' }
  | { readonly screen: 'missing'; readonly path: string };

/** The path prefix with a slash at both ends, from what the server wrote into the page. */
export function readBase(content: string | null | undefined): string {
  const path = (content ?? '').replace(/^\/+|\/+$/g, '');
  return path === '' ? '/' : `/${path}/`;
}

export function readRoute(pathname: string, base: string): Route {
  const missing: Route = { screen: 'missing', path: pathname };
  if (`${pathname}/` === base) return { screen: 'tasks' };
  if (!pathname.startsWith(base)) return missing;
  const [first = '', id = '', ...rest] = pathname.slice(base.length).replace(/\/$/, '').split('/');
  if (first === '') return { screen: 'tasks' };
  if (first === 'search' && id === '') return { screen: 'search' };
  if (first === 'costs' && id === '') return { screen: 'costs' };
  if (first === 'settings' && id === '') return { screen: 'settings' };
  if (first !== 't' || id === '' || rest.length > 0) return missing;
  try {
    return { screen: 'task', taskId: decodeURIComponent(id) };
  } catch {
    return missing;
  }
}

export function taskPath(base: string, taskId: string): string {
  return `${base}t/${encodeURIComponent(taskId)}`;
}
