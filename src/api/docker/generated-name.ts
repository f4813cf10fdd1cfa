/** Names for services whose owner gave none: "quiet_otter". */
import { randomInt } from 'node:crypto';

const QUALITIES =
  'able amber bold brave bright brisk calm candid clear clever cosmic crisp daring eager early easy fair fancy fine fleet fond frank fresh gentle glad golden grand happy hardy honest humble jolly keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble patient plain polite proud pure quick quiet rapid ready regal robust rosy serene sharp shiny silent simple smart smooth snug sober solid steady stout sunny sure sweet swift tidy true upbeat vivid warm wise witty zesty'.split(
    ' ',
  );
const ANIMALS =
  'adder badger beaver bison bobcat buzzard camel caribou cheetah civet condor cougar coyote crane cricket dingo dolphin dormouse eagle egret elk falcon ferret finch fox gecko gibbon goose grouse gull hare hawk heron hornet ibex ibis jackal jaguar kestrel kite koala lark lemur leopard linnet llama lynx magpie mallard marmot marten mink mole moose newt ocelot osprey otter owl panda panther partridge pelican petrel pigeon plover puffin puma quail rabbit raven robin salmon seal shrew skylark sparrow starling stoat stork swallow swan swift tapir teal tern thrush toucan trout turtle viper vole walrus weasel whale wombat wren yak zebra'.split(
    ' ',
  );

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? '';

export const generatedName = (): string => `${pick(QUALITIES)}_${pick(ANIMALS)}`;
