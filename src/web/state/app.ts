import { createContext } from 'svelte';
import type { Api } from '../lib/api.ts';
import type { NowClock } from './clock.svelte.ts';
import type { Plugins } from './plugins.svelte.ts';
import type { Router } from './router.svelte.ts';
import type { Session } from './session.svelte.ts';
import type { Settings } from './settings.svelte.ts';

/** What every screen needs. Made once in main.ts and handed down. */
export interface App {
  readonly api: Api;
  readonly router: Router;
  readonly settings: Settings;
  readonly session: Session;
  readonly clock: NowClock;
  readonly plugins: Plugins;
}

export const [useApp, provideApp] = createContext<App>();
