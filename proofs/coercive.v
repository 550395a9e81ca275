(** * Soft labels hold the student back

    Chapter 3, with logarithms: [R] are the real numbers. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp Require Import boolp classical_sets reals topology normedtype derive.
From mathcomp Require Import sequences realfun exp.
From Distillation Require Import linear span closed_form logistic loss.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Import numFieldNormedType.Exports.
Local Open Scope ring_scope.

(** Chapter 3, prop-coercive: $\log(1 + e^u) - y u \ge \min(y, 1 - y)\, |u|$, here for every number
    [y], whether or not it is a label. *)
Theorem coercive (R : realType) (y u : R) :
  Order.min y (1 - y) * `|u| <= ln (1 + expR u) - y * u.
Proof.
have e0 : 0 < expR u := expR_gt0 u.
have lnu : u <= ln (1 + expR u).
  by rewrite -ler_expR lnK ?posrE ?addr_gt0 ?ltr01 // ler_addr ler01.
have ln0 : 0 <= ln (1 + expR u) by rewrite ln_ge0 // ler_addl ltW.
have [u0|u0] := leP 0 u.
  rewrite ger0_norm //; apply: (le_trans (y := (1 - y) * u)).
    by rewrite ler_wpmul2r // le_minl lexx orbT.
  by rewrite mulrBl mul1r ler_sub.
rewrite ltr0_norm //; apply: (le_trans (y := y * - u)).
  by rewrite ler_wpmul2r ?oppr_ge0 ?(ltW u0) // le_minl lexx.
by rewrite mulrN ler_addr.
Qed.
