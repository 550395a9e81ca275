(** * A teacher that errs

    Chapter 10. The truth is any function of the kind of input, linear or not. *)

From mathcomp Require Import all_ssreflect all_algebra.
From Distillation Require Import linear closed_form mistakes risk_bound.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** The true error $R_{\text{true}}(w)$: how probable an input is at which [w] decides otherwise than
    the truth. *)
Definition true_error (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (truth : T -> bool) (w : 'cV[R]_d) : R :=
  prob P (fun t => (0 <= w ⋅ x t) != truth t).

(** Chapter 10, prop-imperfect: $|R_{\text{true}}(w) - R_{\text{true}}(w^\star)| \le R(w)$ for every
    finite distribution, every truth and every student. *)
Theorem imperfect_teacher (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (truth : T -> bool) (w ws : 'cV[R]_d) :
  is_law P ->
  `|true_error P x truth w - true_error P x truth ws| <= transfer_risk P x w ws.
Proof.
move=> law; rewrite ler_norml ler_subr_addl ler_subl_addl ler_subl_addr; apply/andP; split.
  apply: le_trans (prob_or law _ _); apply: (prob_le law) => t _; rewrite /misjudged.
  by case: (0 <= w ⋅ x t); case: (0 <= ws ⋅ x t); case: (truth t).
apply: le_trans (prob_or law _ _); apply: (prob_le law) => t _; rewrite /misjudged.
by case: (0 <= w ⋅ x t); case: (0 <= ws ⋅ x t); case: (truth t).
Qed.

(** Once the inputs span the space, the closed-form student errs as often as its teacher. *)
Theorem imperfect_teacher_spanning (R : realFieldType) (T : finType) (P : T -> R) d
    (x : T -> 'cV[R]_d) (truth : T -> bool) n (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) :
  \rank X = d -> true_error P x truth (student X ws) = true_error P x truth ws.
Proof. by move=> r; rewrite (closed_form_spanning ws r). Qed.
