(** * Balanced descent

    Chapter 4: descent on all layers of a deep linear network, of any depth and any widths. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear span.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** ** Definitions *)

(** Layer $W_{j+1}$ is [W j], and maps [h j] numbers to [h j.+1]; [h 0] is $d$.
    [below W j] is the product $W_j \cdots W_1$ of all layers below [W j]. *)
Fixpoint below (R : realFieldType) (h : nat -> nat) (W : forall j, 'M[R]_(h j.+1, h j)) (j : nat) :
    'M[R]_(h j, h 0%N) :=
  if j is i.+1 then W i *m below W i else 1%:M.

(** [A j] is the product $W_N \cdots W_{j+1}$ of all layers above hidden layer [j]. *)
Definition is_above (R : realFieldType) N (h : nat -> nat) (W : forall j, 'M[R]_(h j.+1, h j))
    (A : forall j, 'M[R]_(h N, h j)) : Prop :=
  A N = 1%:M /\ forall j, (j < N)%N -> A j = A j.+1 *m W j.

(** A chain, as in chapter 4: $W_1 = v_1 z^\top$ and $W_j = a\, v_j v_{j-1}^\top$ for $j \ge 2$. *)
Definition is_chain (R : realFieldType) N (h : nat -> nat) (v : forall j, 'cV[R]_(h j)) (a : R)
    (z : 'cV[R]_(h 0%N)) (W : forall j, 'M[R]_(h j.+1, h j)) : Prop :=
  W 0%N = v 1%N *m z^T /\
  forall j, (0 < j < N)%N -> W j = a *: (v j.+1 *m (v j)^T).

(** ** Theorems *)

Section Chain.
Variables (R : realFieldType) (N : nat) (h : nat -> nat) (v : forall j, 'cV[R]_(h j)) (a : R).
Variables (z : 'cV[R]_(h 0%N)) (W : forall j, 'M[R]_(h j.+1, h j)) (A : forall j, 'M[R]_(h N, h j)).
Hypotheses (unit_v : forall j, (0 < j <= N)%N -> ‖v j‖² = 1) (chainW : is_chain N v a z W).

Lemma unitE j : (0 < j <= N)%N -> (v j)^T *m v j = 1%:M.
Proof. by move=> hj; rewrite dot_mx -/(sqnorm _) unit_v. Qed.

Lemma below_chain j : (j < N)%N -> below W j.+1 = a ^+ j *: (v j.+1 *m z^T).
Proof.
case: chainW => W0 W1; elim: j => [|j IH] hj; first by rewrite /= mulmx1 W0 expr0 scale1r.
rewrite [LHS]/= -/(below W j.+1) IH ?(ltnW hj) // W1 //.
rewrite -scalemxAl -scalemxAr scalerA -exprS; congr (_ *: _).
by rewrite mulmxA -(mulmxA (v j.+2)) unitE ?mulmx1 // (ltnW hj).
Qed.

Lemma below_chain' j : (0 < j <= N)%N -> below W j = a ^+ j.-1 *: (v j *m z^T).
Proof. by case: j => // j; apply: below_chain. Qed.

Lemma above_chain m : (h N = 1)%N -> is_above W A -> (m < N)%N ->
  A (N - m)%N = a ^+ m *: (v N *m (v (N - m)%N)^T).
Proof.
move=> hN [AN Aj]; elim: m => [|m IH] hm.
  rewrite subn0 AN expr0 scale1r.
  have NN : (0 < N <= N)%N by rewrite hm leqnn.
  have := unitE NN; move: (v N); rewrite hN => u hu.
  have /matrixP/(_ 0 0) := hu; rewrite !mxE big_ord1 !mxE eqxx => huu.
  by apply/matrixP => i j; rewrite !ord1 !mxE big_ord1 !mxE eqxx huu.
have e : (N - m = (N - m.+1).+1)%N by rewrite subnSK // ltnW.
have hm' := ltnW hm; move: IH; rewrite e => IH.
have lt : (N - m.+1 < N)%N by rewrite ltn_subrL (leq_ltn_trans _ hm).
rewrite Aj // IH // (chainW.2) ?lt ?subn_gt0 ?hm //.
rewrite -scalemxAl -scalemxAr scalerA -exprSr; congr (_ *: _).
rewrite mulmxA -(mulmxA (v N)) unitE ?mulmx1 //.
Qed.

End Chain.

(** Chapter 4, prop-balanced-descent: one step of descent on all layers of a chain with one
    output, $v_N = 1$. With the gradient $g$ of the loss with respect to the end-to-end weights,
    the gradient of layer $W_{j+1}$ is $(W_N \cdots W_{j+2})^\top g^\top (W_j \cdots W_1)^\top$.
    After the step the layers are a chain in the same hidden vectors, with
    $a - \eta a^{N-2} (g \cdot z)$ and $z - \eta a^{N-1} g$ in the place of $a$ and $z$. *)
Theorem balanced_step (R : realFieldType) N (h : nat -> nat) (v : forall j, 'cV[R]_(h j)) (a : R)
    (z : 'cV[R]_(h 0%N)) (W : forall j, 'M[R]_(h j.+1, h j)) (A : forall j, 'M[R]_(h N, h j))
    (g : 'cV[R]_(h 0%N)) (eta : R) :
  (2 <= N)%N -> (h N = 1)%N -> v N = const_mx 1 -> (forall j, (0 < j <= N)%N -> ‖v j‖² = 1) ->
  is_chain N v a z W -> is_above W A ->
  (below W N)^T *m v N = a ^+ N.-1 *: z /\
  is_chain N v (a - eta * a ^+ (N - 2) * (g ⋅ z)) (z - eta * a ^+ N.-1 *: g)
    (fun j => W j - eta *: ((A j.+1)^T *m (v N *m g^T) *m (below W j)^T)).
Proof.
move=> N2 hN vN unit_v ch ab.
have N0 : (0 < N)%N by apply: leq_trans N2.
have vNN : (v N)^T *m v N = 1%:M by apply: (unitE unit_v); rewrite N0 leqnn.
have abv j : (j < N)%N -> A j.+1 = a ^+ (N - j.+1) *: (v N *m (v j.+1)^T).
  move=> hj; have := above_chain unit_v ch hN ab (m := (N - j.+1)%N).
  rewrite subKn // => -> //; rewrite ltn_subrL N0 //.
have mid p (x : 'cV_p) : x *m (v N)^T *m (v N *m g^T) = x *m g^T.
  by rewrite -mulmxA (mulmxA _ (v N)) vNN mul1mx.
have tZ p q (s : R) (M : 'M_(p, q)) : (s *: M)^T = s *: M^T by rewrite linearZ.
split.
  rewrite (below_chain' unit_v ch) ?N0 ?leqnn //.
  by rewrite tZ trmx_mul trmxK -scalemxAl -mulmxA vNN mulmx1.
split.
  rewrite /= (abv 0%N) // trmx1 mulmx1 tZ trmx_mul trmxK -scalemxAl mid (ch.1) subn1.
  by rewrite linearB /= tZ mulmxBr -scalemxAr scalerA.
move=> j /andP[j0 jN]; rewrite (abv j jN) (ch.2 j) ?j0 //.
rewrite (below_chain' unit_v ch) ?j0 ?(ltnW jN) // !tZ !trmx_mul !trmxK.
rewrite -scalemxAl mid -scalemxAl -scalemxAr scalerA mulmxA -(mulmxA (v j.+1)) dot_mx.
rewrite mul_mx_scalar -scalemxAl !scalerA -scalerBl; congr ((_ - _) *: _).
rewrite mulrA -(mulrA eta) -exprD; congr (_ * a ^+ _ * _).
by case: j j0 jN => // j _ jN; rewrite /= addnC addnBA // -(addn2 j) subnDl.
Qed.

(** The recursion of chapter 4 for the pair $(a, z)$, where [grad w] is the gradient $g$ at the
    end-to-end weights $w = a^{N-1} z$. *)
Fixpoint recursion (R : realFieldType) d N (grad : 'cV[R]_d -> 'cV[R]_d) (eta a0 : R)
    (z0 : 'cV[R]_d) (k : nat) : R * 'cV[R]_d :=
  if k is j.+1 then
    let a := (recursion N grad eta a0 z0 j).1 in
    let z := (recursion N grad eta a0 z0 j).2 in
    let g := grad (a ^+ N.-1 *: z) in
    (a - eta * a ^+ (N - 2) * (g ⋅ z), z - (eta * a ^+ N.-1) *: g)
  else (a0, z0).

(** Chapter 4, prop-balanced-descent, all steps: simultaneous descent on the layers of a chain is
    the recursion, and the end-to-end weights are $a^{N-1} z$. *)
Theorem balanced_descent (R : realFieldType) N (h : nat -> nat) (v : forall j, 'cV[R]_(h j))
    (a0 : R) (z0 : 'cV[R]_(h 0%N)) (grad : 'cV[R]_(h 0%N) -> 'cV[R]_(h 0%N)) (eta : R)
    (W : nat -> forall j, 'M[R]_(h j.+1, h j)) (A : nat -> forall j, 'M[R]_(h N, h j)) :
  let weights k := (below (W k) N)^T *m v N in
  let a k := (recursion N grad eta a0 z0 k).1 in
  let z k := (recursion N grad eta a0 z0 k).2 in
  (2 <= N)%N -> (h N = 1)%N -> v N = const_mx 1 -> (forall j, (0 < j <= N)%N -> ‖v j‖² = 1) ->
  is_chain N v a0 z0 (W 0%N) ->
  (forall k, is_above (W k) (A k)) ->
  (forall k j, W k.+1 j
    = W k j - eta *: ((A k j.+1)^T *m (v N *m (grad (weights k))^T) *m (below (W k) j)^T)) ->
  forall k, is_chain N v (a k) (z k) (W k) /\ weights k = a k ^+ N.-1 *: z k.
Proof.
move=> weights a z N2 hN vN unit_v ch0 above step.
have H k : is_chain N v (a k) (z k) (W k) -> weights k = a k ^+ N.-1 *: z k /\
    is_chain N v (a k.+1) (z k.+1) (W k.+1).
  move=> ch; have [e [c1 c2]] := balanced_step (grad (weights k)) eta N2 hN vN unit_v ch (above k).
  have ew : weights k = a k ^+ N.-1 *: z k := e.
  have ak : a k.+1 = a k - eta * a k ^+ (N - 2) * (grad (weights k) ⋅ z k) by rewrite ew.
  have zk : z k.+1 = z k - (eta * a k ^+ N.-1) *: grad (weights k) by rewrite ew.
  by split=> //; split=> [|j hj]; rewrite step ?c1 ?c2 // ?zk ?ak.
suff C k : is_chain N v (a k) (z k) (W k) by move=> k; split=> //; case: (H k).
by elim: k => [//|k IH]; case: (H k IH).
Qed.
