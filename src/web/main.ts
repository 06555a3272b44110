import { mount } from 'svelte';
import App from './App.svelte';
import './style/base.css';
import './style/dialog.css';
import './style/print.css';
import './style/settings.css';

const target = document.getElementById('app');
if (target === null) throw new Error('expected an element with the id "app" in index.html');
mount(App, { target });
