/**
 * Short, common words from which prompts are made. Most tokenizers know each of them, with the space before it, as
 * one token; the ones that a server splits are left out (see prompts.ts).
 */
export const PROMPT_WORDS: readonly string[] = `
the of and to in is that for as with are by not from this or an be if at it can one all may when use which has will
was but other also more only so any used no than two must out first its set same each into some such new then been
have between does using up would there time these both how where see like over own most many made after before about
name list value type class object code call line string number file text word data part form case order name state
point result return find get make take give keep show start stop end open close read write run add test help work
change move turn play hold bring begin leave follow learn allow build spend grow win offer remember love consider
appear buy wait serve send expect stay fall cut reach kill remain small large long short high low old young early late
public private local general human common simple full free sure clear whole white black red green blue house water
room area money story fact month book eye job word side kind head country home hand power game group problem question
company system program government night day year week world life school student family business
`
  .trim()
  .split(/\s+/)
  .filter((word, at, all) => all.indexOf(word) === at);
