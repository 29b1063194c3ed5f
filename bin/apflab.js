#!/usr/bin/env node
// Starts the program in dist/. Written so that an old Node parses it too and can be told what is wrong.
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

  // Node 22.0 to 22.2 lack what everything takes Node's own modules through.
  var ready = process.getBuiltinModule
    ? Promise.resolve()
    : import('node:module').then(function (builtin) {
        process.getBuiltinModule = builtin.createRequire(import.meta.url);
      });

  ready
    .then(function () {
      var parts = newParts(import.meta.dirname.replace(/bin$/, 'dist'), codeFolder(), process.argv[2]);
      var app = parts.load('./apflab.cjs');
      return app.main(process.argv.slice(2), process.env).then(function (code) {
        process.exitCode = code;
        if ((code === 0 || code === 1) && app.keepsCode()) parts.keepCode();
      });
    })
    .catch(function (error) {
      process.stderr.write('apflab: ' + ((error && error.stack) || error) + '\n');
      process.exitCode = 5;
    });

  // Node keeps compiled modules in a folder for each version of it, and so do we; null where the user wants none.
  function codeFolder() {
    var builtin = process.getBuiltinModule('node:module');
    if (!builtin.enableCompileCache || !builtin.getCompileCacheDir) return null;
    builtin.enableCompileCache();
    return builtin.getCompileCacheDir() || null;
  }

  // Loads the parts of the program and keeps what V8 compiled of them: a third of the start-up of a small run. What
  // Node keeps by itself was taken before anything ran, so it lacks nearly every function. Each verb has code of its
  // own, as it runs other functions. The name of a part has a hash of its content, so code never meets another text.
  function newParts(folder, code, verb) {
    var fs = process.getBuiltinModule('node:fs');
    var vm = process.getBuiltinModule('node:vm');
    var loaded = Object.create(null);
    var fresh = [];

    function importModule(name) {
      return import('../dist' + name.slice(1));
    }

    function load(name) {
      if (!name.startsWith('./')) return process.getBuiltinModule(name);
      if (loaded[name]) return loaded[name].exports;
      var module = { exports: {} };
      loaded[name] = module;
      var file = folder + name.slice(1);
      var kept = codeFile(name);
      var known = kept === null ? undefined : read(kept);
      var script = new vm.Script(fs.readFileSync(file, 'latin1'), { filename: file, cachedData: known });
      if (kept !== null && (known === undefined || script.cachedDataRejected)) fresh.push([kept, script]);
      script.runInThisContext()(load, importModule, module, module.exports, folder);
      return module.exports;
    }

    function codeFile(name) {
      return code !== null && /-/.test(name) && /^[a-z]+$/.test(verb) ? code + name.slice(1) + '.' + verb : null;
    }

    // Of ours only: where the folder is open to all, somebody else's code may lie in it.
    function read(file) {
      try {
        if (process.getuid && fs.statSync(file).uid !== process.getuid()) return undefined;
        return fs.readFileSync(file);
      } catch {
        return undefined;
      }
    }

    // V8 trusts what it is given, so a file is there whole or not at all.
    function keepCode() {
      fresh.forEach(function (each) {
        var file = each[0] + '.' + process.pid;
        try {
          fs.writeFileSync(file, each[1].createCachedData(), { flush: true });
          fs.renameSync(file, each[0]);
        } catch {
          // A full or read-only disk: the next start compiles again.
        }
      });
    }

    return { load: load, keepCode: keepCode };
  }
})();
