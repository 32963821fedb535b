// Runs programs on V8. Standard input has one in each line, as `Step`s and modules in
// base64; standard output gets a `Line` for each. The argument is the lane.
import fs from 'node:fs';
const lane = process.argv.at(-1);
const view = new DataView(new ArrayBuffer(8));
const hex = (n, digits) => n.toString(16).padStart(digits, '0');
const f32 = v => (Number.isNaN(v) ? 'f32:nan' : (view.setFloat32(0, v), 'f32:' + hex(view.getUint32(0), 8)));
const f64 = v => (Number.isNaN(v) ? 'f64:nan' : (view.setFloat64(0, v), 'f64:' + hex(view.getBigUint64(0), 16)));
const show = { i32: v => 'i32:' + v, i64: v => 'i64:' + v, f32, f64 };
const argument = text => {
  const [ty, v] = text.split(':');
  switch (ty) {
    case 'i32': return Number(v);
    case 'i64': return BigInt(v);
    case 'f32': return view.setUint32(0, parseInt(v, 16)), view.getFloat32(0);
    case 'f64': return view.setBigUint64(0, BigInt('0x' + v)), view.getFloat64(0);
    default: return { number: Number(v) };
  }
};
// (module (func (export "f") unreachable)): what JavaScript throws, WebAssembly catches; a trap it does not
const trap = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11,
]))).exports.f;
let printed, reenter, failed;
const spectest = {
  global_i32: 666,
  print_i32: v => void printed.push(show.i32(v)),
  print_f64_f64: (a, b) => void printed.push(show.f64(a), show.f64(b)),
  print_i64: v => {
    printed.push(show.i64(v));
    if (!reenter) return;
    try {
      reenter(Number(BigInt.asIntN(32, v)));
    } catch {
      failed = true;
      trap();
    }
  },
};
const run = ({ modules, steps }) => {
  const imports = { spectest };
  let instances = [];
  try {
    instances = modules.map((text, n) => {
      const module = new WebAssembly.Module(Buffer.from(text, 'base64'));
      const instance = new WebAssembly.Instance(module, imports);
      imports['m' + n] = instance.exports;
      return instance.exports;
    });
  } catch (e) {
    return { Err: e.message };
  }
  reenter = instances[0].reenter;
  return { Ok: steps.map(({ module, export: name, args, results }) => {
    printed = [];
    failed = false;
    let ended;
    try {
      const got = instances[module][name](...args.map(argument));
      const all = results.length === 0 ? [] : results.length === 1 ? [got] : [...got];
      ended = { returned: all.map((v, n) => show[results[n]](v)) };
    } catch (e) {
      const word = failed ? 'host' : e instanceof WebAssembly.Exception ? 'exception' : e.message;
      ended = /^(Maximum call stack|Out of memory|requested new array)/.test(word) ? { exhausted: word } : { trapped: word };
    }
    return { ended, printed };
  }) };
};
const lines = fs.readFileSync(0, 'utf8').split('\n').filter(line => line);
lines.forEach((line, n) => {
  fs.writeSync(1, JSON.stringify({ case: n, lane, seen: run(JSON.parse(line)) }) + '\n');
});
