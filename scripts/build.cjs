'use strict';
// `npm run build`: all that is published, the web page only when its sources changed. `npm pack` calls it.

const { install, buildPage, buildPackage } = require('./prepare.cjs');

install();
buildPage();
buildPackage();
