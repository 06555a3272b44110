'use strict';
// `npm run build`: the web page, built anew even when nothing changed.

const { install, rebuildPage } = require('./prepare.cjs');

install();
rebuildPage();
