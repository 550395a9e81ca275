(** * Angles between student, teacher and inputs

    Chapters 5 and 9. Angles are acute and enter by their squared cosines, so that no limit and no
    root is needed: a larger angle is a smaller cosine, and the angles [A] and
    $\bar\alpha \ge \pi/2 - A$ say that $\cos^2 \bar\alpha \le 1 - \cos^2 A$. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear mistakes.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** The squared cosine of the angle between [u] and [v]. Division by 0 gives 0 here, so the angle
    to a zero vector counts as a right one; for the student that is what the chapter says. *)
Definition cos2 (R : realFieldType) d (u v : 'cV[R]_d) : R := (u ⋅ v) ^+ 2 / (‖u‖² * ‖v‖²).

Section Cosines.
Variables (R : realFieldType) (d : nat).
Implicit Types u v w x : 'cV[R]_d.

Lemma cos2_ge0 u v : 0 <= cos2 u v.
Proof. by rewrite divr_ge0 ?sqr_ge0 // mulr_ge0 ?sqnorm_ge0. Qed.

Lemma cos2_le1 u v : cos2 u v <= 1.
Proof.
have [z|nz] := eqVneq (‖u‖² * ‖v‖²) 0; first by rewrite /cos2 z invr0 mulr0 ler01.
rewrite ler_pdivr_mulr ?mul1r ?cauchy_schwarz //.
by rewrite lt_def nz mulr_ge0 ?sqnorm_ge0.
Qed.

Lemma cos2C u v : cos2 u v = cos2 v u.
Proof. by rewrite /cos2 dotC mulrC [‖u‖² * _]mulrC mulrC. Qed.

Lemma cos20 u : cos2 0 u = 0.
Proof. by rewrite /cos2 dot0l expr0n mul0r. Qed.

Lemma cos2_dot u v : (u ⋅ v) ^+ 2 = cos2 u v * (‖u‖² * ‖v‖²).
Proof.
have [z|nz] := eqVneq (‖u‖² * ‖v‖²) 0; last by rewrite divfK.
by apply/eqP; rewrite z mulr0 eq_le sqr_ge0 -z cauchy_schwarz.
Qed.

End Cosines.

Section Student.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)) (ws : 'cV[R]_d).
Let what := student X ws.

Lemma student_dot v : in_span X v -> v ⋅ ws = v ⋅ what.
Proof.
move=> s; apply/eqP; rewrite -subr_eq0 -dotBr; apply/eqP.
exact: orthogonal_span s (projector_orthogonal X ws).
Qed.

Lemma student_dot_teacher : what ⋅ ws = ‖what‖².
Proof. exact: student_dot (projector_in_span X ws). Qed.

Lemma student_split : ‖ws‖² = ‖what‖² + ‖ws - what‖².
Proof.
rewrite -(pythagoras (orthogonal_span (projector_in_span X ws) (projector_orthogonal X ws))).
by rewrite addrC subrK.
Qed.

Lemma in_span_input i : in_span X (input X i).
Proof. by apply/in_span_submx; rewrite trmxK row_sub. Qed.

End Student.

(** Chapter 5, lem-aligned, the first claim: $\cos A = \|\hat w\| / \|w^\star\|$, squared. *)
Theorem student_angle (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) :
  0 <= student X ws ⋅ ws /\ cos2 (student X ws) ws = ‖student X ws‖² / ‖ws‖².
Proof.
rewrite student_dot_teacher; split; first exact: sqnorm_ge0.
rewrite /cos2 student_dot_teacher; set a := ‖_‖²; set b := ‖ws‖².
have [->|a0] := eqVneq a 0; first by rewrite expr0n !mul0r.
by rewrite invfM expr2 -mulrA (mulrA a a^-1) divff // mul1r.
Qed.

(** Chapter 5, lem-aligned, the second claim: no vector of the span makes a smaller angle with the
    teacher than the student, which is in the span ... *)
Theorem student_best_in_span (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) :
  in_span X (student X ws) /\
  forall v, in_span X v -> cos2 v ws <= cos2 (student X ws) ws.
Proof.
split=> [|v s]; first exact: projector_in_span.
have [->|v0] := eqVneq v 0; first by rewrite cos20 cos2_ge0.
have [w0|w0] := eqVneq ws 0; first by rewrite w0 cos2C cos20 cos2_ge0.
have pv : 0 < ‖v‖² by rewrite sqnorm_gt0.
have pw : 0 < ‖ws‖² by rewrite sqnorm_gt0.
rewrite (student_angle X ws).2 ler_pdivr_mulr ?mulr_gt0 //.
rewrite [X in _ <= X](_ : _ = ‖v‖² * ‖student X ws‖²); last first.
  by rewrite [‖v‖² * ‖ws‖²]mulrC mulrA divfK ?gt_eqF // mulrC.
by rewrite (student_dot ws s) cauchy_schwarz.
Qed.

(** ... and the third: $A \le M_n$, the angle of the best input. *)
Theorem student_beats_inputs (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) i :
  cos2 (input X i) ws <= cos2 (student X ws) ws.
Proof. exact: (student_best_in_span X ws).2 (in_span_input X i). Qed.

(** Chapter 5, lem-misjudged: if the student misjudges [x], then
    $\bar\alpha(x) \ge \pi/2 - A$. *)
Theorem misjudged_close_call (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws x : 'cV[R]_d) :
  misjudged (student X ws) ws x -> cos2 x ws <= 1 - cos2 (student X ws) ws.
Proof.
move=> m; set what := student X ws in m *.
have [->|x0] := eqVneq x 0; first by rewrite cos20 subr_ge0 cos2_le1.
have [w0|w0] := eqVneq ws 0.
  by rewrite w0 cos2C cos20 subr_ge0 cos2_le1.
have px : 0 < ‖x‖² by rewrite sqnorm_gt0.
have pw : 0 < ‖ws‖² by rewrite sqnorm_gt0.
have -> : 1 - cos2 what ws = ‖ws - what‖² / ‖ws‖².
  rewrite (student_angle X ws).2 -/what -{1}(divff (lt0r_neq0 pw)) -mulrBl.
  by rewrite {1}(student_split X ws) -/what addrC addKr.
rewrite ler_pdivr_mulr ?mulr_gt0 // [‖x‖² * _]mulrC mulrA divfK ?gt_eqF //.
apply: le_trans (cauchy_schwarz _ _).
rewrite dotBl dotC -subr_ge0; move: m; rewrite /misjudged.
set a := ws ⋅ x; set b := what ⋅ x => m.
have -> : (a - b) ^+ 2 - a ^+ 2 = b ^+ 2 - 2%:R * (b * a) by ring.
have ba : b * a <= 0.
  move: m; have [b0|b0] := leP 0 b; have [a0|a0] := leP 0 a => //= _.
    by rewrite mulr_ge0_le0 // ltW.
  by rewrite mulr_le0_ge0 // ltW.
by rewrite addr_ge0 ?sqr_ge0 // -mulrN mulr_ge0 ?ler0n // oppr_ge0.
Qed.

(** ** The angle never increases *)

(** Chapter 9, thm-angle-monotone: if the span of [Y] contains that of [X], then $A_+ \le A_-$,
    and $\cos A_- = \cos \angle(\hat w_-, \hat w_+)\, \cos A_+$, squared. *)
Theorem angle_never_increases (R : realFieldType) n m d (X : 'M[R]_(n, d)) (Y : 'M[R]_(m, d))
    (ws : 'cV[R]_d) :
  (forall v, in_span X v -> in_span Y v) ->
  cos2 (student X ws) ws <= cos2 (student Y ws) ws /\
  cos2 (student X ws) ws = cos2 (student X ws) (student Y ws) * cos2 (student Y ws) ws.
Proof.
move=> sub; have sY := sub _ (projector_in_span X ws); rewrite -/(student X ws) in sY.
split; first exact: (student_best_in_span Y ws).2.
rewrite (student_angle X ws).2 (student_angle Y ws).2.
rewrite /cos2 -(student_dot ws sY) student_dot_teacher.
set a := ‖student X ws‖²; set b := ‖student Y ws‖².
have [->|a0] := eqVneq a 0; first by rewrite expr0n !mul0r.
have [b0|b0] := eqVneq b 0; last by set z := _^-1; field; rewrite a0 b0.
have y0 : student Y ws = 0 by apply/eqP; rewrite -sqnorm_eq0; apply/eqP.
have : (student X ws ⋅ student Y ws) = a by rewrite -(student_dot ws sY) student_dot_teacher.
by rewrite y0 dot0r => /esym/eqP; rewrite (negbTE a0).
Qed.

(** Chapter 9, thm-angle-monotone, for a transfer set that grows: [Z] holds the new inputs. *)
Theorem angle_more_inputs (R : realFieldType) n m d (X : 'M[R]_(n, d)) (Z : 'M[R]_(m, d))
    (ws : 'cV[R]_d) :
  cos2 (student X ws) ws <= cos2 (student (col_mx X Z) ws) ws.
Proof.
apply: (angle_never_increases _ _).1 => v; rewrite !in_span_submx => h.
by apply: submx_trans h _; rewrite -addsmxE addsmxSl.
Qed.
