#!/usr/bin/env node
// Starts the bundle. Written so that an old Node parses it too and can be told what is wrong.
(function () {
  var major = Number(process.version.slice(1).split('.')[0]);
  if (major < 22) {
    process.stderr.write('apflab needs Node 22 or later; this is ' + process.version + '.\n');
    process.stderr.write(
      'hint: install a current Node (https://nodejs.org), or run it through npm: npx -p node@24 -p apflab apflab\n',
    );
    process.exitCode = 4;
    return;
  }

  // V8 keeps what it compiled of the bundle; a tenth of the start-up.
  var nodeModule = process.getBuiltinModule && process.getBuiltinModule('node:module');
  if (nodeModule && nodeModule.enableCompileCache) nodeModule.enableCompileCache();

  // The bundle takes Node's own modules through it, and Node 22.0 to 22.2 lack it.
  var ready = process.getBuiltinModule
    ? Promise.resolve()
    : import('node:module').then(function (builtin) {
        process.getBuiltinModule = builtin.createRequire(import.meta.url);
      });

  ready
    .then(function () {
      return import('../dist/apflab.js');
    })
    .then(function (cli) {
      return cli.main(process.argv.slice(2), process.env);
    })
    .then(function (code) {
      process.exitCode = code;
    })
    .catch(function (error) {
      process.stderr.write('apflab: ' + ((error && error.stack) || error) + '\n');
      process.exitCode = 5;
    });
})();
